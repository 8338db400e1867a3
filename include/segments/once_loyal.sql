-- Users with at least three purchases, the latest of them more than 45 days ago.
-- A saved segment may be any SELECT that returns one column `user_id`.
SELECT user_id
FROM shop.events
WHERE name = 'Charged'
GROUP BY user_id
HAVING count(*) >= 3 AND max(occurred_at) < now() - interval '45 days'
