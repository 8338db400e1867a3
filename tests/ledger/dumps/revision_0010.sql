-- A ledger as the version of revision 0010 left it (29 November 2026), by runs over a shop of twelve made-up people.
-- What Facebook held then is in revision_0010.json beside it. See tests/pipeline/test_upgrade.py.

--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA audiences;

ALTER SCHEMA audiences OWNER TO postgres;

CREATE FUNCTION audiences.place() RETURNS text
    LANGUAGE sql STABLE
    AS $$select (select system_identifier from pg_catalog.pg_control_system()) || '/' || d.oid || '/' || t.oid
   from pg_catalog.pg_database d, pg_catalog.pg_class t
   where d.datname = pg_catalog.current_database() and t.oid = 'audiences.identity'::pg_catalog.regclass$$;

ALTER FUNCTION audiences.place() OWNER TO postgres;

COMMENT ON FUNCTION audiences.place() IS 'server, database and table: a restored dump has a table of another number, a copied database is one of another number';

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE audiences.ad_account (
    id text NOT NULL,
    blocked_until timestamp with time zone NOT NULL
);

ALTER TABLE audiences.ad_account OWNER TO postgres;

COMMENT ON COLUMN audiences.ad_account.blocked_until IS 'Facebook throttled the ad account: no process calls it before';

CREATE TABLE audiences.ad_set (
    campaign_id integer NOT NULL,
    audience_id integer NOT NULL,
    facebook_id text NOT NULL,
    place text NOT NULL,
    made_by_us boolean,
    run_id bigint NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    error text,
    CONSTRAINT ad_set_place_check CHECK ((place = ANY (ARRAY['included'::text, 'excluded'::text])))
);

ALTER TABLE audiences.ad_set OWNER TO postgres;

COMMENT ON TABLE audiences.ad_set IS 'ad sets in whose targeting a campaign wants its audience';

COMMENT ON COLUMN audiences.ad_set.made_by_us IS 'only such links are taken back; false: a person had linked it before; null: about to be written';

COMMENT ON COLUMN audiences.ad_set.run_id IS 'the last run that saw to it';

COMMENT ON COLUMN audiences.ad_set.error IS 'why it is not as the campaign wants it; null when it is';

CREATE TABLE audiences.alembic_version (
    version_num character varying(32) NOT NULL
);

ALTER TABLE audiences.alembic_version OWNER TO postgres;

CREATE TABLE audiences.assignment (
    campaign_id integer NOT NULL,
    user_id text NOT NULL COLLATE pg_catalog."C",
    arm text NOT NULL,
    run_id bigint NOT NULL,
    CONSTRAINT assignment_arm_check CHECK ((arm = ANY (ARRAY['target'::text, 'system'::text, 'custom'::text, 'campaign'::text])))
);

ALTER TABLE audiences.assignment OWNER TO postgres;

COMMENT ON TABLE audiences.assignment IS 'target or the control group that holds the user out; the first one stands';

CREATE TABLE audiences.audience (
    id integer NOT NULL,
    ad_account text NOT NULL,
    facebook_id text NOT NULL,
    name text NOT NULL,
    created_for integer,
    schema text[] DEFAULT '{}'::text[] NOT NULL,
    size_lower bigint,
    size_upper bigint,
    operation_status text,
    delivery_status text,
    checked_at timestamp with time zone,
    busy_campaign integer,
    busy_until timestamp with time zone,
    in_doubt text,
    mark text,
    deleted_at timestamp with time zone,
    content_seen bigint,
    content_filling boolean DEFAULT true NOT NULL,
    facebook_ahead double precision,
    in_doubt_since timestamp with time zone,
    confirmed_at timestamp with time zone
);

ALTER TABLE audiences.audience OWNER TO postgres;

COMMENT ON COLUMN audiences.audience.created_for IS 'the campaign that made it, or adopted it; null for one that is given by its id, in which others may have put members';

COMMENT ON COLUMN audiences.audience.busy_until IS 'another campaign leaves the audience alone until then';

COMMENT ON COLUMN audiences.audience.in_doubt IS 'why the members on record may not be those at Facebook, for people; null: they are. Ends when the whole set was sent';

COMMENT ON COLUMN audiences.audience.mark IS 'the mark that we put into its description at Facebook; null: none yet, so that it may be somebody else''s';

COMMENT ON COLUMN audiences.audience.deleted_at IS 'when a run found it deleted at Facebook and made another one in its place';

COMMENT ON COLUMN audiences.audience.content_seen IS 'the newest `time_content_updated` that Facebook has told us, in its Unix seconds; null: never asked';

COMMENT ON COLUMN audiences.audience.content_filling IS 'Facebook was still at work on the last upload when we looked, so that the time may move once more by our doing';

COMMENT ON COLUMN audiences.audience.facebook_ahead IS 'seconds by which Facebook''s clock was ahead of this database''s at the last look';

COMMENT ON COLUMN audiences.audience.in_doubt_since IS 'a whole set whose first request left later ends the doubt';

COMMENT ON COLUMN audiences.audience.confirmed_at IS 'when a person said that the members on record are those at Facebook; nothing from before is a doubt';

ALTER TABLE audiences.audience ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audiences.audience_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE audiences.campaign (
    id integer NOT NULL,
    name text NOT NULL,
    missing_since timestamp with time zone,
    salt text
);

ALTER TABLE audiences.campaign OWNER TO postgres;

COMMENT ON COLUMN audiences.campaign.missing_since IS 'since when the project has no file of it';

COMMENT ON COLUMN audiences.campaign.salt IS 'what its control group and its cap are drawn by, the id under which it began; null: its name';

CREATE TABLE audiences.campaign_end (
    campaign_id integer NOT NULL,
    reason text NOT NULL,
    on_end text NOT NULL,
    tries integer NOT NULL,
    error text,
    ended_at timestamp with time zone NOT NULL,
    CONSTRAINT campaign_end_on_end_check CHECK ((on_end = ANY (ARRAY['keep'::text, 'unlink'::text, 'empty'::text])))
);

ALTER TABLE audiences.campaign_end OWNER TO postgres;

COMMENT ON TABLE audiences.campaign_end IS 'campaigns that are over; a run takes its campaign out again';

COMMENT ON COLUMN audiences.campaign_end.error IS 'why `on_end` is not carried out yet; null when it is';

ALTER TABLE audiences.campaign ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audiences.campaign_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE audiences.chunk (
    id bigint NOT NULL,
    run_id bigint NOT NULL,
    audience_id integer NOT NULL,
    action text NOT NULL,
    number integer NOT NULL,
    file text NOT NULL,
    first_row bigint NOT NULL,
    rows integer NOT NULL,
    state text DEFAULT 'planned'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    received integer,
    invalid integer,
    begun integer DEFAULT 0 NOT NULL,
    gone integer DEFAULT 0 NOT NULL,
    rejected jsonb DEFAULT '{}'::jsonb NOT NULL,
    error text,
    sent_at timestamp with time zone,
    acknowledged_at timestamp with time zone,
    session bigint,
    part_of bigint,
    doubtful boolean DEFAULT false NOT NULL,
    schema text[] DEFAULT '{}'::text[] NOT NULL,
    late boolean DEFAULT false NOT NULL,
    CONSTRAINT chunk_action_check CHECK ((action = ANY (ARRAY['add'::text, 'remove'::text, 'replace'::text]))),
    CONSTRAINT chunk_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'sending'::text, 'acknowledged'::text, 'split'::text, 'postponed'::text, 'refused'::text, 'dropped'::text, 'lost'::text])))
);

ALTER TABLE audiences.chunk OWNER TO postgres;

COMMENT ON COLUMN audiences.chunk.file IS 'staged change file; the request takes `rows` positions from `first_row` on';

COMMENT ON COLUMN audiences.chunk.state IS 'sending: it may or may not have reached Facebook and is sent again before anything else; split: refused, and sent in halves; postponed: Facebook keeps the members for now, and the next run tries again; lost: as sending, and its rows are gone, so only a full refresh makes the audience right';

COMMENT ON COLUMN audiences.chunk.begun IS 'users whose membership began with this request';

COMMENT ON COLUMN audiences.chunk.gone IS 'users who left the audience with it, not counting changed identifiers';

COMMENT ON COLUMN audiences.chunk.rejected IS 'its rows, where they were refused for what they hold, by reason';

COMMENT ON COLUMN audiences.chunk.session IS 'the replace session that the request is a part of';

COMMENT ON COLUMN audiences.chunk.part_of IS 'the planned request of which it has some of the rows, after that was refused for what they hold';

COMMENT ON COLUMN audiences.chunk.doubtful IS 'refused after a try whose answer was lost: the members are on record as if it had been carried out, and it is sent again';

COMMENT ON COLUMN audiences.chunk.schema IS 'the Facebook keys of its rows; a key that only some rows have is added';

COMMENT ON COLUMN audiences.chunk.late IS 'a removal that waits for the additions, as the mapping has changed';

ALTER TABLE audiences.chunk ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audiences.chunk_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE audiences.erased (
    digest bytea NOT NULL,
    erasure_id bigint NOT NULL
);

ALTER TABLE audiences.erased OWNER TO postgres;

COMMENT ON TABLE audiences.erased IS 'salted SHA-256 of the user ids and of the strong identifiers (as uploaded) of erased people, by which every upload leaves them out';

CREATE TABLE audiences.erasure (
    id bigint NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    requests jsonb DEFAULT '[]'::jsonb NOT NULL,
    removed jsonb DEFAULT '{}'::jsonb NOT NULL,
    still_to_do text[] DEFAULT '{}'::text[] NOT NULL
);

ALTER TABLE audiences.erasure OWNER TO postgres;

COMMENT ON TABLE audiences.erasure IS 'proof of erasures, without anything about the person';

COMMENT ON COLUMN audiences.erasure.requests IS 'per ad account what Facebook acknowledged';

COMMENT ON COLUMN audiences.erasure.removed IS 'rows removed from the ledger, by table';

ALTER TABLE audiences.erasure ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audiences.erasure_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE audiences.erasure_salt (
    salt bytea NOT NULL
);

ALTER TABLE audiences.erasure_salt OWNER TO postgres;

CREATE TABLE audiences.expired (
    audience_id integer NOT NULL,
    campaign_id integer NOT NULL,
    user_id text NOT NULL COLLATE pg_catalog."C"
);

ALTER TABLE audiences.expired OWNER TO postgres;

COMMENT ON TABLE audiences.expired IS 'users who left because `keep_for` was up and who have qualified ever since; the campaign does not add them again';

CREATE TABLE audiences.former_name (
    name text NOT NULL,
    campaign_id integer NOT NULL,
    taken_over_at timestamp with time zone NOT NULL
);

ALTER TABLE audiences.former_name OWNER TO postgres;

COMMENT ON TABLE audiences.former_name IS 'ids that campaigns had before their files were renamed (`formerly`); no other campaign begins under one';

CREATE TABLE audiences.goal_result (
    id bigint NOT NULL,
    campaign_id integer NOT NULL,
    goal_digest text NOT NULL,
    config_digest text NOT NULL,
    as_of timestamp with time zone NOT NULL,
    measured_at timestamp with time zone DEFAULT now() NOT NULL,
    report jsonb NOT NULL
);

ALTER TABLE audiences.goal_result OWNER TO postgres;

COMMENT ON TABLE audiences.goal_result IS 'every measurement is kept; the newest as_of of a campaign and goal_digest is the current one';

COMMENT ON COLUMN audiences.goal_result.goal_digest IS 'of the goal alone: it changes when the question does';

COMMENT ON COLUMN audiences.goal_result.report IS 'goal/report.py: Report';

ALTER TABLE audiences.goal_result ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audiences.goal_result_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE audiences.identity (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    only_row boolean DEFAULT true NOT NULL,
    home text,
    CONSTRAINT identity_only_row_check CHECK (only_row)
);

ALTER TABLE audiences.identity OWNER TO postgres;

COMMENT ON TABLE audiences.identity IS 'the name of this ledger, made once; the audiences that it creates at Facebook carry it in their description';

COMMENT ON COLUMN audiences.identity.home IS 'the place of this ledger when it was last written to; elsewhere now: restored or copied';

CREATE TABLE audiences.live_batch (
    id bigint NOT NULL,
    campaign_id integer NOT NULL,
    formed_at timestamp with time zone NOT NULL,
    events integer NOT NULL,
    users integer NOT NULL,
    first_event timestamp with time zone NOT NULL,
    last_event timestamp with time zone NOT NULL,
    last_due timestamp with time zone NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    offer_at timestamp with time zone NOT NULL,
    run_id bigint,
    error text,
    exported_at timestamp with time zone,
    CONSTRAINT live_batch_state_check CHECK ((state = ANY (ARRAY['open'::text, 'exported'::text, 'dropped'::text])))
);

ALTER TABLE audiences.live_batch OWNER TO postgres;

COMMENT ON COLUMN audiences.live_batch.tries IS 'how many runs of it were triggered';

COMMENT ON COLUMN audiences.live_batch.offer_at IS 'when a run of it is to be triggered, again if it was before';

COMMENT ON COLUMN audiences.live_batch.run_id IS 'the run that exported it';

ALTER TABLE audiences.live_batch ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audiences.live_batch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE audiences.live_campaign (
    campaign_id integer NOT NULL,
    since timestamp with time zone NOT NULL,
    read_to timestamp with time zone NOT NULL,
    settled_to timestamp with time zone NOT NULL,
    mark_at timestamp with time zone NOT NULL,
    mark_xid bigint NOT NULL,
    looked_back_at timestamp with time zone NOT NULL,
    error text,
    error_at timestamp with time zone
);

ALTER TABLE audiences.live_campaign OWNER TO postgres;

COMMENT ON TABLE audiences.live_campaign IS 'live campaigns in force, and how far each has read the warehouse, by its clock';

COMMENT ON COLUMN audiences.live_campaign.since IS 'events that arrived before are none of its business';

COMMENT ON COLUMN audiences.live_campaign.settled_to IS 'no transaction that wrote anything before then is still open';

COMMENT ON COLUMN audiences.live_campaign.mark_xid IS 'the first transaction number not yet given out at `mark_at`; once all before it have ended, all is settled up to there';

COMMENT ON COLUMN audiences.live_campaign.looked_back_at IS 'when events that became visible late were last looked for';

COMMENT ON COLUMN audiences.live_campaign.error IS 'why its last look failed; null when it did not';

CREATE TABLE audiences.live_event (
    campaign_id integer NOT NULL,
    event_id text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL COLLATE pg_catalog."C",
    occurred_at timestamp with time zone NOT NULL,
    arrived_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    batch_id bigint,
    qualified boolean DEFAULT false NOT NULL,
    CONSTRAINT live_event_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'batched'::text, 'exported'::text, 'not_qualified'::text, 'excluded'::text, 'limited'::text, 'late'::text, 'dropped'::text])))
);

ALTER TABLE audiences.live_event OWNER TO postgres;

COMMENT ON COLUMN audiences.live_event.state IS 'excluded: by `unless`; late: seen later than `max_age`; dropped: due while the campaign was not to send';

COMMENT ON COLUMN audiences.live_event.qualified IS 'whether the last run of its batch found the user still to qualify';

CREATE TABLE audiences.mapping (
    campaign_id integer NOT NULL,
    audience_id integer NOT NULL,
    schema text[] NOT NULL,
    moving_to text[]
);

ALTER TABLE audiences.mapping OWNER TO postgres;

COMMENT ON COLUMN audiences.mapping.schema IS 'the Facebook keys under which all of the campaign''s members were uploaded';

COMMENT ON COLUMN audiences.mapping.moving_to IS 'newer keys, under which some of them are by now; null when all are';

CREATE TABLE audiences.member (
    audience_id integer NOT NULL,
    campaign_id integer NOT NULL,
    user_id text NOT NULL COLLATE pg_catalog."C",
    identifiers bytea NOT NULL,
    present boolean NOT NULL,
    added_run bigint NOT NULL,
    removed_run bigint
);

ALTER TABLE audiences.member OWNER TO postgres;

COMMENT ON COLUMN audiences.member.identifiers IS 'the row as uploaded: per identifier its number, its length, its bytes (a SHA-256 has 32)';

COMMENT ON COLUMN audiences.member.present IS 'true: the campaign keeps the user in the audience; false: it had the user taken out (remove_matching)';

CREATE TABLE audiences.preflight (
    ad_account text NOT NULL,
    connection text NOT NULL,
    passed_at timestamp with time zone NOT NULL,
    warnings text[] NOT NULL
);

ALTER TABLE audiences.preflight OWNER TO postgres;

COMMENT ON TABLE audiences.preflight IS 'the last time that everything was right at Facebook';

CREATE TABLE audiences.refused_row (
    audience_id integer NOT NULL,
    identifiers bytea NOT NULL,
    reason text NOT NULL,
    run_id bigint NOT NULL
);

ALTER TABLE audiences.refused_row OWNER TO postgres;

COMMENT ON TABLE audiences.refused_row IS 'rows that Facebook refused to add; they are not sent again for a while';

CREATE TABLE audiences.run (
    id bigint NOT NULL,
    campaign_id integer NOT NULL,
    external_id text NOT NULL,
    audience_id integer,
    config_digest text NOT NULL,
    config jsonb NOT NULL,
    control_terms text NOT NULL,
    as_of timestamp with time zone NOT NULL,
    state text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    staging text NOT NULL,
    planned jsonb DEFAULT '{}'::jsonb NOT NULL,
    outcomes jsonb DEFAULT '{}'::jsonb NOT NULL,
    rejected jsonb DEFAULT '{}'::jsonb NOT NULL,
    requests integer DEFAULT 0 NOT NULL,
    timings jsonb DEFAULT '{}'::jsonb NOT NULL,
    error text,
    stopped boolean DEFAULT false NOT NULL,
    warnings text[] DEFAULT '{}'::text[] NOT NULL,
    assigned_at timestamp with time zone NOT NULL,
    due timestamp with time zone,
    again integer DEFAULT 0 NOT NULL,
    CONSTRAINT run_state_check CHECK ((state = ANY (ARRAY['running'::text, 'success'::text, 'failed'::text, 'stopped'::text, 'abandoned'::text])))
);

ALTER TABLE audiences.run OWNER TO postgres;

COMMENT ON COLUMN audiences.run.control_terms IS 'salts and percentages by which this run assigned users';

COMMENT ON COLUMN audiences.run.as_of IS 'as of when it looked at the data';

COMMENT ON COLUMN audiences.run.assigned_at IS 'when it assigned users and decided on members, by the clock; goals and keep_for go by it';

COMMENT ON COLUMN audiences.run.due IS 'the time of the schedule for which it was begun; null: by hand, or for events';

COMMENT ON COLUMN audiences.run.again IS 'how often the run was asked for once more after it had ended, as by clearing it';

ALTER TABLE audiences.run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audiences.run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE audiences.upload_session (
    id bigint NOT NULL,
    run_id bigint NOT NULL,
    audience_id integer NOT NULL,
    attempt integer NOT NULL,
    facebook_id bigint NOT NULL,
    schema text[] NOT NULL,
    closing text NOT NULL,
    state text DEFAULT 'planned'::text NOT NULL,
    opened_at timestamp with time zone,
    ended_at timestamp with time zone,
    error text,
    CONSTRAINT upload_session_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'open'::text, 'ended'::text, 'broken'::text, 'dropped'::text])))
);

ALTER TABLE audiences.upload_session OWNER TO postgres;

COMMENT ON TABLE audiences.upload_session IS 'replace sessions: the whole set of an audience, sent in several requests';

COMMENT ON COLUMN audiences.upload_session.facebook_id IS 'the session id that we chose for Facebook';

COMMENT ON COLUMN audiences.upload_session.schema IS 'the Facebook keys of its rows, the same in every request';

COMMENT ON COLUMN audiences.upload_session.closing IS 'staged file of the memberships that end with the session, besides those that its requests begin';

COMMENT ON COLUMN audiences.upload_session.state IS 'open: its first request has left; ended: the audience is its set; broken: what the audience holds is not known until another one has ended; dropped: it never reached Facebook';

ALTER TABLE audiences.upload_session ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audiences.upload_session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

COPY audiences.ad_account (id, blocked_until) FROM stdin;
\.

COPY audiences.ad_set (campaign_id, audience_id, facebook_id, place, made_by_us, run_id, seen_at, error) FROM stdin;
5	3	23861234567890123	included	t	4	2026-11-29 10:06:40.643621+00	\N
\.

COPY audiences.alembic_version (version_num) FROM stdin;
0010
\.

COPY audiences.assignment (campaign_id, user_id, arm, run_id) FROM stdin;
1	11	target	1
1	1	target	2
1	10	target	2
1	2	target	2
1	3	target	2
1	4	target	2
1	5	target	2
1	6	target	2
1	7	target	2
1	8	target	2
1	9	target	2
5	1	target	3
5	10	target	3
5	11	campaign	3
5	2	target	3
5	3	campaign	3
5	4	campaign	3
5	5	target	3
5	6	target	3
5	7	target	3
5	8	target	3
5	9	target	3
9	1	target	5
9	10	target	5
9	11	target	5
9	2	target	5
9	4	target	5
9	5	target	5
9	6	target	5
9	7	target	5
9	8	target	5
9	9	target	5
11	1	target	6
11	10	target	6
11	11	target	6
11	2	target	6
11	4	target	6
11	5	target	6
11	6	target	6
11	7	target	6
11	8	target	6
11	9	target	6
13	1	target	7
13	10	target	7
13	11	target	7
13	2	target	7
13	4	target	7
13	5	target	7
13	6	target	7
13	7	target	7
13	8	target	7
13	9	target	7
15	1	target	8
15	2	target	8
19	1	target	9
19	10	target	9
19	11	target	9
19	2	target	9
19	4	target	9
19	5	target	9
19	6	target	9
19	7	target	9
19	8	target	9
19	9	target	9
\.

COPY audiences.audience (id, ad_account, facebook_id, name, created_for, schema, size_lower, size_upper, operation_status, delivery_status, checked_at, busy_campaign, busy_until, in_doubt, mark, deleted_at, content_seen, content_filling, facebook_ahead, in_doubt_since, confirmed_at) FROM stdin;
7	act_1001	23851795946798233	Live	15	{EMAIL,PHONE}	1	3	normal	Audience too small: fewer than 100 people were matched.	2026-11-29 10:07:08.535587+00	\N	\N	\N	[audiences:live@2da087a7ca2f]	\N	1795946828	f	-0.533285	\N	\N
8	act_1001	23851795946798234	Odd	19	{EMAIL,PHONE}	9	11	normal	Audience too small: fewer than 100 people were matched.	2026-11-29 10:07:11.348865+00	\N	\N	\N	[audiences:odd@2da087a7ca2f]	\N	1795946831	f	-0.347733	\N	\N
3	act_1001	23851795946798231	Carts	5	{EMAIL,PHONE}	8	10	normal	Audience too small: fewer than 100 people were matched.	2026-11-29 10:06:56.391256+00	\N	\N	\N	[audiences:carts@2da087a7ca2f]	\N	1795946824	f	-0.457474	\N	\N
5	act_1001	23851234567890123	Existing buyers list	\N	{EMAIL,PHONE}	10	12	normal	Audience too small: fewer than 100 people were matched.	2026-11-29 10:07:01.605724+00	\N	\N	\N	\N	\N	1795946824	f	-0.457708	\N	\N
6	act_1001	23851795946798232	Weekly	13	{EMAIL,PHONE}	10	12	normal	Audience too small: fewer than 100 people were matched.	2026-11-29 10:07:03.885369+00	\N	\N	\N	[audiences:weekly@2da087a7ca2f]	\N	1795946824	f	-0.457881	\N	\N
1	act_1001	23851795946798230	Kept	1	{EMAIL,PHONE}	10	12	normal	Audience too small: fewer than 100 people were matched.	2026-11-29 10:06:50.923328+00	\N	\N	\N	[audiences:kept@2da087a7ca2f]	\N	1795946824	f	-0.458045	\N	\N
\.

COPY audiences.campaign (id, name, missing_since, salt) FROM stdin;
1	kept	\N	\N
5	carts	\N	spring
9	one	\N	\N
11	two	\N	\N
13	weekly	\N	\N
15	live	\N	\N
19	odd	\N	\N
\.

COPY audiences.campaign_end (campaign_id, reason, on_end, tries, error, ended_at) FROM stdin;
11	its file is gone	keep	1	\N	2026-11-29 10:06:40.643621+00
\.

COPY audiences.chunk (id, run_id, audience_id, action, number, file, first_row, rows, state, tries, received, invalid, begun, gone, rejected, error, sent_at, acknowledged_at, session, part_of, doubtful, schema, late) FROM stdin;
1	1	1	add	0	add-0.parquet	0	1	acknowledged	1	1	0	1	0	{}	\N	2026-11-29 10:06:48.17752+00	2026-11-29 10:06:48.235028+00	\N	\N	f	{EMAIL,PHONE}	f
2	2	1	remove	0	remove-0.parquet	0	1	acknowledged	1	1	0	0	1	{}	\N	2026-11-29 10:06:50.691405+00	2026-11-29 10:06:50.732397+00	\N	\N	f	{EMAIL,PHONE}	f
3	2	1	add	1	add-0.parquet	0	11	acknowledged	1	11	0	11	0	{}	\N	2026-11-29 10:06:50.812183+00	2026-11-29 10:06:50.828092+00	\N	\N	f	{EMAIL,PHONE}	f
4	3	3	add	0	add-0.parquet	0	9	acknowledged	1	9	0	9	0	{}	\N	2026-11-29 10:06:53.232305+00	2026-11-29 10:06:53.242321+00	\N	\N	f	{EMAIL,PHONE}	f
5	4	3	remove	0	remove-0.parquet	0	1	acknowledged	1	1	0	0	0	{}	\N	2026-11-29 10:06:56.100751+00	2026-11-29 10:06:56.113052+00	\N	\N	f	{EMAIL,PHONE}	f
6	4	3	add	1	add-0.parquet	0	1	acknowledged	1	1	0	1	0	{}	\N	2026-11-29 10:06:56.182053+00	2026-11-29 10:06:56.203803+00	\N	\N	f	{EMAIL,PHONE}	f
7	5	5	add	0	add-0.parquet	0	11	acknowledged	1	11	0	11	0	{}	\N	2026-11-29 10:06:59.426162+00	2026-11-29 10:06:59.444278+00	\N	\N	f	{EMAIL,PHONE}	f
8	7	6	replace	0	replace-0.parquet	0	11	acknowledged	1	11	0	11	0	{}	\N	2026-11-29 10:07:03.751584+00	2026-11-29 10:07:03.819069+00	1	\N	f	{}	f
9	8	7	add	0	add-0.parquet	0	2	acknowledged	1	2	0	2	0	{}	\N	2026-11-29 10:07:08.434018+00	2026-11-29 10:07:08.461252+00	\N	\N	f	{EMAIL,PHONE}	f
10	9	8	add	0	add-0.parquet	0	10	acknowledged	1	10	0	10	0	{}	\N	2026-11-29 10:07:11.211467+00	2026-11-29 10:07:11.275067+00	\N	\N	f	{EMAIL,PHONE}	f
11	10	8	add	0	add-0.parquet	0	1	refused	1	\N	\N	0	0	{}	refused as a whole	2026-11-29 10:07:11.494543+00	\N	\N	\N	f	{}	f
12	10	8	add	1	add-0.parquet	0	2	split	1	\N	\N	0	0	{}	one of its rows	2026-11-29 10:07:11.52379+00	\N	\N	\N	f	{}	f
13	10	8	add	2	add-0.parquet	0	1	postponed	2	\N	\N	0	0	{"no such person": 1}	too few would be left	2026-11-29 10:07:11.620993+00	\N	\N	12	f	{}	f
16	10	8	add	3	add-0.parquet	0	1	sending	1	\N	\N	0	0	{}	\N	2026-11-29 10:07:11.642439+00	\N	\N	\N	f	{}	f
17	10	8	add	4	add-0.parquet	0	1	lost	1	\N	\N	0	0	{}	its rows are gone	2026-11-29 10:07:11.659195+00	\N	\N	\N	f	{}	f
18	10	8	add	5	add-0.parquet	0	1	refused	1	\N	\N	0	0	{}	lost an answer, then refused	2026-11-29 10:07:11.679038+00	\N	\N	\N	t	{}	f
19	10	8	add	6	add-0.parquet	0	1	planned	0	\N	\N	0	0	{}	\N	\N	\N	\N	\N	f	{}	f
20	11	8	replace	0	whole.parquet	0	1	dropped	0	\N	\N	0	0	{}	\N	\N	\N	2	\N	f	{}	f
21	11	8	replace	1	whole.parquet	1	1	dropped	0	\N	\N	0	0	{}	\N	\N	\N	2	\N	f	{}	f
23	12	8	replace	1	whole.parquet	1	1	planned	0	\N	\N	0	0	{}	\N	\N	\N	3	\N	f	{}	f
22	12	8	replace	0	whole.parquet	0	1	sending	1	\N	\N	0	0	{}	\N	2026-11-29 10:07:12.041124+00	\N	3	\N	f	{}	f
25	13	8	replace	1	whole.parquet	1	1	planned	0	\N	\N	0	0	{}	\N	\N	\N	4	\N	f	{}	f
24	13	8	replace	0	whole.parquet	0	1	acknowledged	1	1	0	0	0	{}	\N	2026-11-29 10:07:12.067561+00	2026-11-29 10:07:12.072548+00	4	\N	f	{}	f
26	14	8	replace	0	whole.parquet	0	1	planned	0	\N	\N	0	0	{}	\N	\N	\N	5	\N	f	{}	f
27	14	8	replace	1	whole.parquet	1	1	planned	0	\N	\N	0	0	{}	\N	\N	\N	5	\N	f	{}	f
\.

COPY audiences.erased (digest, erasure_id) FROM stdin;
\\xfe6de698b52f880612a6dda3c9a79cabc8420d150db425457036026fda7cdff9	1
\\xd97ef6aba047eea0f50e12f4df3419e5290a18122f1da34bdb5f41bd94a3592d	1
\\xa4e65472df4b206f9175441bd9ea502aca51fa154cc91a91c1fd8a11ad552cbf	1
\\x2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881	2
\.

COPY audiences.erasure (id, asked_at, done_at, requests, removed, still_to_do) FROM stdin;
1	2026-11-29 10:07:03.915182+00	2026-11-29 10:07:03.915182+00	[{"id": "act_1001", "rows": 3, "error": null, "closed": false, "invalid": 0, "received": 3, "requests": 1}]	{"member": 5, "expired": 0, "assignment": 5, "live_event": 0, "refused_row": 0}	{}
2	2026-11-29 10:07:12.160407+00	\N	[]	{}	{"ad account act_1002 could not be reached"}
\.

COPY audiences.erasure_salt (salt) FROM stdin;
\\xd6570ffe3d364784abe57624b11138f0cf930fd0972b451aacd6efb4c4984d6d
\.

COPY audiences.expired (audience_id, campaign_id, user_id) FROM stdin;
1	1	11
\.

COPY audiences.former_name (name, campaign_id, taken_over_at) FROM stdin;
spring	5	2026-11-29 10:06:53.762217+00
\.

COPY audiences.goal_result (id, campaign_id, goal_digest, config_digest, as_of, measured_at, report) FROM stdin;
1	5	9829bf468b41e1728e50ce31dd6a110bf458bf635549deea78fd14318fcabdb9	139bd07eacee128a4bdb1320f6a5ce57a62d9be8eff8434f30f768974d97fb0a	2026-12-05 10:06:40.643621+00	2026-11-29 10:06:57.522681+00	{"arms": [{"arm": "target", "rate": 0.222222222222, "users": 9, "revenue": 30.0, "converters": 2, "conversions": 2, "open_windows": 0, "revenue_per_user": 3.33333333333}, {"arm": "campaign", "rate": 0.333333333333, "users": 3, "revenue": 20.0, "converters": 1, "conversions": 1, "open_windows": 0, "revenue_per_user": 6.66666666667}], "data": {"events": 3, "warehouse": "warehouse", "newest_event": "2026-11-29T11:06:40.643621Z", "last_assigned": "2026-11-29T10:06:40.643621Z", "first_assigned": "2026-11-29T10:06:40.643621Z", "last_window_ends": "2026-12-04T10:06:40.643621Z"}, "goal": {"of": "assignment", "event": "Charged", "within": "5 days", "revenue": "amount"}, "as_of": "2026-12-05T10:06:40.643621Z", "notes": ["1 conversions have no `amount` and add no revenue"], "campaign": "carts", "comparisons": [{"words": ["too few users to compare: 9 targets and 3 users of the control group have had their window, and each side needs 100 under the same percentages; what fewer do says more about chance than about the campaign"], "control": "campaign", "revenue": null, "targets": 0, "controls": 0, "conversions": null}], "goal_digest": "9829bf468b41e1728e50ce31dd6a110bf458bf635549deea78fd14318fcabdb9", "config_digest": "139bd07eacee128a4bdb1320f6a5ce57a62d9be8eff8434f30f768974d97fb0a"}
\.

COPY audiences.identity (id, only_row, home) FROM stdin;
a0ddb021-f7e4-48b5-b49d-2da087a7ca2f	t	7713532750515032804/16385/16846
\.

COPY audiences.live_batch (id, campaign_id, formed_at, events, users, first_event, last_event, last_due, state, tries, offer_at, run_id, error, exported_at) FROM stdin;
1	15	2026-11-29 10:06:50.643621+00	2	2	2026-11-29 10:06:45.643621+00	2026-11-29 10:06:45.643621+00	2026-11-29 10:06:45.643621+00	exported	1	2026-11-29 10:36:50.643621+00	8	\N	2026-11-29 10:07:08.50358+00
2	15	2026-11-29 10:06:55.643621+00	1	1	2026-11-29 10:06:50.643621+00	2026-11-29 10:06:50.643621+00	2026-11-29 10:06:50.643621+00	open	1	2026-11-29 10:07:55.643621+00	\N	\N	\N
3	15	2026-11-29 10:06:55.643621+00	1	1	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	dropped	0	2026-11-29 10:06:55.643621+00	\N	\N	\N
\.

COPY audiences.live_campaign (campaign_id, since, read_to, settled_to, mark_at, mark_xid, looked_back_at, error, error_at) FROM stdin;
15	2026-11-29 09:06:45.643621+00	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:45.643621+00	2026-11-29 10:06:45.643621+00	1038	2026-11-29 10:06:45.643621+00	\N	\N
\.

COPY audiences.live_event (campaign_id, event_id, user_id, occurred_at, arrived_at, seen_at, due_at, state, batch_id, qualified) FROM stdin;
15	17	1	2026-11-29 10:06:45.643621+00	2026-11-29 10:06:45.643621+00	2026-11-29 10:06:50.643621+00	2026-11-29 10:06:45.643621+00	exported	1	t
15	18	2	2026-11-29 10:06:45.643621+00	2026-11-29 10:06:45.643621+00	2026-11-29 10:06:50.643621+00	2026-11-29 10:06:45.643621+00	exported	1	t
15	19	4	2026-11-29 10:06:50.643621+00	2026-11-29 10:06:50.643621+00	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:50.643621+00	batched	2	f
15	x0	5	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2036-11-26 10:06:55.643621+00	waiting	\N	f
15	x1	6	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2036-11-26 10:06:55.643621+00	excluded	\N	f
15	x2	7	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2036-11-26 10:06:55.643621+00	limited	\N	f
15	x3	8	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2036-11-26 10:06:55.643621+00	late	\N	f
15	x4	9	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2036-11-26 10:06:55.643621+00	dropped	\N	f
15	x5	10	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2026-11-29 10:06:55.643621+00	2036-11-26 10:06:55.643621+00	not_qualified	\N	f
\.

COPY audiences.mapping (campaign_id, audience_id, schema, moving_to) FROM stdin;
1	1	{EMAIL,PHONE}	\N
5	3	{EMAIL,PHONE}	\N
9	5	{EMAIL,PHONE}	\N
11	5	{EMAIL,PHONE}	\N
13	6	{EMAIL,PHONE}	\N
15	7	{EMAIL,PHONE}	\N
19	8	{EMAIL,PHONE}	{EMAIL,FN}
\.

COPY audiences.member (audience_id, campaign_id, user_id, identifiers, present, added_run, removed_run) FROM stdin;
1	1	11	\\x012069e6267c53626874ae2ad01d9acae62c21ddfc993ae0967df0a69e13ea2747d702203006eb4b0c3c054068af0cbe14d7d975d6207812c8d1a928e943b569db9c6da3	t	1	2
1	1	1	\\x0120b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe21002200eccaf07e44c5edb5ceb63d8bfb8f6cfc27c8070b5456133540b755ab129958e	t	2	\N
1	1	10	\\x01201cc95683bbb5c48117e33ef95a500d2224f8c0df2e32b608622b51db69956982022011abd8101a230b6215eb69847e0f9f8f119dce72764ef7b2dd5ba16c5161f82d	t	2	\N
1	1	2	\\x01202b3b2b9ce842ab8b6a6c614cb1f9604bb8a0d502d1af49c526b72b10894e95b502203e776f2ab188defbeeeb3507b965632504bb0da1023e8e2ca786bea9b7ed2b0f	t	2	\N
1	1	3	\\x0120898628e28890f937bdf009391def42879c401a4bcf1b5fd24e738d9f5da8cbbb0220e6ef639255cbf49a67e33843faf5e8b618f1e3ddfbd58740243cf1ca1ead6f41	t	2	\N
1	1	4	\\x012040d71d3f998c168e7a254e75c0a1020185cfc67ab52790be92502835953fc41d02203c94519453aa213b92dc9fc0946236b0144553c38837c799e74371f8dbcaa3e2	t	2	\N
1	1	5	\\x01204d8f4dd97e0c7b6fed6367bed08adc1fe2c7f6d22fc76f46d63c674c10e4d0620220885d5a0cb936318757ee67b8a75dd92214e71ce155458a75474af4fb83cd2e41	t	2	\N
1	1	6	\\x0120b430419a8a3fa1ce5cafd92d89fe3e832b39b1f1cab0f351c1b270b585d5eded02201be7be447cbf857962cbb1b6b76edb59475a965a97c4d1552b8970bac413ade1	t	2	\N
1	1	7	\\x012038121022af9b425b5dbf9b56823cf14183bd617022a8bc39a5843c9d7035d0390220de88652f687984cd5231ed303f0ffb3b1a6a725f4a446961b4da9e840578f76e	t	2	\N
1	1	8	\\x0120675657c179a97bde8a8cb572bfe434126b57311f5e9b49171855c5b6d0952dc50220f0c54adc9df50f81185bb4b3be0c17564334e4510ab1b641375dda155735a526	t	2	\N
1	1	9	\\x0120b1e700bec7b4c7c386a589aa095a87af1792fe4b7b95c011e52e6f73327b098e0220e810b2bc7acf14e5c032a79602974d20fb4e6d1b435c885b6ca4167988232bec	t	2	\N
3	5	1	\\x0120b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe21002200eccaf07e44c5edb5ceb63d8bfb8f6cfc27c8070b5456133540b755ab129958e	t	3	\N
3	5	10	\\x01201cc95683bbb5c48117e33ef95a500d2224f8c0df2e32b608622b51db69956982022011abd8101a230b6215eb69847e0f9f8f119dce72764ef7b2dd5ba16c5161f82d	t	3	\N
3	5	5	\\x01204d8f4dd97e0c7b6fed6367bed08adc1fe2c7f6d22fc76f46d63c674c10e4d0620220885d5a0cb936318757ee67b8a75dd92214e71ce155458a75474af4fb83cd2e41	t	3	\N
3	5	6	\\x0120b430419a8a3fa1ce5cafd92d89fe3e832b39b1f1cab0f351c1b270b585d5eded02201be7be447cbf857962cbb1b6b76edb59475a965a97c4d1552b8970bac413ade1	t	3	\N
3	5	7	\\x012038121022af9b425b5dbf9b56823cf14183bd617022a8bc39a5843c9d7035d0390220de88652f687984cd5231ed303f0ffb3b1a6a725f4a446961b4da9e840578f76e	t	3	\N
3	5	8	\\x0120675657c179a97bde8a8cb572bfe434126b57311f5e9b49171855c5b6d0952dc50220f0c54adc9df50f81185bb4b3be0c17564334e4510ab1b641375dda155735a526	t	3	\N
3	5	9	\\x0120b1e700bec7b4c7c386a589aa095a87af1792fe4b7b95c011e52e6f73327b098e0220e810b2bc7acf14e5c032a79602974d20fb4e6d1b435c885b6ca4167988232bec	t	3	\N
3	5	2	\\x01202b3b2b9ce842ab8b6a6c614cb1f9604bb8a0d502d1af49c526b72b10894e95b502203e776f2ab188defbeeeb3507b965632504bb0da1023e8e2ca786bea9b7ed2b0f	t	3	4
3	5	2	\\x01208c470f7ac49a63d4437578ed40e693b3713c3fb2c73b068d66b2d5a7b8740b4602203e776f2ab188defbeeeb3507b965632504bb0da1023e8e2ca786bea9b7ed2b0f	t	4	\N
5	9	1	\\x0120b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe21002200eccaf07e44c5edb5ceb63d8bfb8f6cfc27c8070b5456133540b755ab129958e	t	5	\N
5	9	10	\\x01201cc95683bbb5c48117e33ef95a500d2224f8c0df2e32b608622b51db69956982022011abd8101a230b6215eb69847e0f9f8f119dce72764ef7b2dd5ba16c5161f82d	t	5	\N
5	9	11	\\x012069e6267c53626874ae2ad01d9acae62c21ddfc993ae0967df0a69e13ea2747d702203006eb4b0c3c054068af0cbe14d7d975d6207812c8d1a928e943b569db9c6da3	t	5	\N
5	9	2	\\x01208c470f7ac49a63d4437578ed40e693b3713c3fb2c73b068d66b2d5a7b8740b4602203e776f2ab188defbeeeb3507b965632504bb0da1023e8e2ca786bea9b7ed2b0f	t	5	\N
5	9	4	\\x012040d71d3f998c168e7a254e75c0a1020185cfc67ab52790be92502835953fc41d02203c94519453aa213b92dc9fc0946236b0144553c38837c799e74371f8dbcaa3e2	t	5	\N
5	9	5	\\x01204d8f4dd97e0c7b6fed6367bed08adc1fe2c7f6d22fc76f46d63c674c10e4d0620220885d5a0cb936318757ee67b8a75dd92214e71ce155458a75474af4fb83cd2e41	t	5	\N
5	9	6	\\x0120b430419a8a3fa1ce5cafd92d89fe3e832b39b1f1cab0f351c1b270b585d5eded02201be7be447cbf857962cbb1b6b76edb59475a965a97c4d1552b8970bac413ade1	t	5	\N
5	9	7	\\x012038121022af9b425b5dbf9b56823cf14183bd617022a8bc39a5843c9d7035d0390220de88652f687984cd5231ed303f0ffb3b1a6a725f4a446961b4da9e840578f76e	t	5	\N
5	9	8	\\x0120675657c179a97bde8a8cb572bfe434126b57311f5e9b49171855c5b6d0952dc50220f0c54adc9df50f81185bb4b3be0c17564334e4510ab1b641375dda155735a526	t	5	\N
5	9	9	\\x0120b1e700bec7b4c7c386a589aa095a87af1792fe4b7b95c011e52e6f73327b098e0220e810b2bc7acf14e5c032a79602974d20fb4e6d1b435c885b6ca4167988232bec	t	5	\N
5	11	1	\\x0120b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe21002200eccaf07e44c5edb5ceb63d8bfb8f6cfc27c8070b5456133540b755ab129958e	t	6	\N
5	11	10	\\x01201cc95683bbb5c48117e33ef95a500d2224f8c0df2e32b608622b51db69956982022011abd8101a230b6215eb69847e0f9f8f119dce72764ef7b2dd5ba16c5161f82d	t	6	\N
5	11	11	\\x012069e6267c53626874ae2ad01d9acae62c21ddfc993ae0967df0a69e13ea2747d702203006eb4b0c3c054068af0cbe14d7d975d6207812c8d1a928e943b569db9c6da3	t	6	\N
5	11	2	\\x01208c470f7ac49a63d4437578ed40e693b3713c3fb2c73b068d66b2d5a7b8740b4602203e776f2ab188defbeeeb3507b965632504bb0da1023e8e2ca786bea9b7ed2b0f	t	6	\N
5	11	4	\\x012040d71d3f998c168e7a254e75c0a1020185cfc67ab52790be92502835953fc41d02203c94519453aa213b92dc9fc0946236b0144553c38837c799e74371f8dbcaa3e2	t	6	\N
5	11	5	\\x01204d8f4dd97e0c7b6fed6367bed08adc1fe2c7f6d22fc76f46d63c674c10e4d0620220885d5a0cb936318757ee67b8a75dd92214e71ce155458a75474af4fb83cd2e41	t	6	\N
5	11	6	\\x0120b430419a8a3fa1ce5cafd92d89fe3e832b39b1f1cab0f351c1b270b585d5eded02201be7be447cbf857962cbb1b6b76edb59475a965a97c4d1552b8970bac413ade1	t	6	\N
5	11	7	\\x012038121022af9b425b5dbf9b56823cf14183bd617022a8bc39a5843c9d7035d0390220de88652f687984cd5231ed303f0ffb3b1a6a725f4a446961b4da9e840578f76e	t	6	\N
5	11	8	\\x0120675657c179a97bde8a8cb572bfe434126b57311f5e9b49171855c5b6d0952dc50220f0c54adc9df50f81185bb4b3be0c17564334e4510ab1b641375dda155735a526	t	6	\N
5	11	9	\\x0120b1e700bec7b4c7c386a589aa095a87af1792fe4b7b95c011e52e6f73327b098e0220e810b2bc7acf14e5c032a79602974d20fb4e6d1b435c885b6ca4167988232bec	t	6	\N
6	13	1	\\x0120b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe21002200eccaf07e44c5edb5ceb63d8bfb8f6cfc27c8070b5456133540b755ab129958e	t	7	\N
6	13	10	\\x01201cc95683bbb5c48117e33ef95a500d2224f8c0df2e32b608622b51db69956982022011abd8101a230b6215eb69847e0f9f8f119dce72764ef7b2dd5ba16c5161f82d	t	7	\N
6	13	11	\\x012069e6267c53626874ae2ad01d9acae62c21ddfc993ae0967df0a69e13ea2747d702203006eb4b0c3c054068af0cbe14d7d975d6207812c8d1a928e943b569db9c6da3	t	7	\N
6	13	2	\\x01208c470f7ac49a63d4437578ed40e693b3713c3fb2c73b068d66b2d5a7b8740b4602203e776f2ab188defbeeeb3507b965632504bb0da1023e8e2ca786bea9b7ed2b0f	t	7	\N
6	13	4	\\x012040d71d3f998c168e7a254e75c0a1020185cfc67ab52790be92502835953fc41d02203c94519453aa213b92dc9fc0946236b0144553c38837c799e74371f8dbcaa3e2	t	7	\N
6	13	5	\\x01204d8f4dd97e0c7b6fed6367bed08adc1fe2c7f6d22fc76f46d63c674c10e4d0620220885d5a0cb936318757ee67b8a75dd92214e71ce155458a75474af4fb83cd2e41	t	7	\N
6	13	6	\\x0120b430419a8a3fa1ce5cafd92d89fe3e832b39b1f1cab0f351c1b270b585d5eded02201be7be447cbf857962cbb1b6b76edb59475a965a97c4d1552b8970bac413ade1	t	7	\N
6	13	7	\\x012038121022af9b425b5dbf9b56823cf14183bd617022a8bc39a5843c9d7035d0390220de88652f687984cd5231ed303f0ffb3b1a6a725f4a446961b4da9e840578f76e	t	7	\N
6	13	8	\\x0120675657c179a97bde8a8cb572bfe434126b57311f5e9b49171855c5b6d0952dc50220f0c54adc9df50f81185bb4b3be0c17564334e4510ab1b641375dda155735a526	t	7	\N
6	13	9	\\x0120b1e700bec7b4c7c386a589aa095a87af1792fe4b7b95c011e52e6f73327b098e0220e810b2bc7acf14e5c032a79602974d20fb4e6d1b435c885b6ca4167988232bec	t	7	\N
7	15	1	\\x0120b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe21002200eccaf07e44c5edb5ceb63d8bfb8f6cfc27c8070b5456133540b755ab129958e	t	8	\N
7	15	2	\\x01208c470f7ac49a63d4437578ed40e693b3713c3fb2c73b068d66b2d5a7b8740b4602203e776f2ab188defbeeeb3507b965632504bb0da1023e8e2ca786bea9b7ed2b0f	t	8	\N
8	19	1	\\x0120b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe21002200eccaf07e44c5edb5ceb63d8bfb8f6cfc27c8070b5456133540b755ab129958e	t	9	\N
8	19	10	\\x01201cc95683bbb5c48117e33ef95a500d2224f8c0df2e32b608622b51db69956982022011abd8101a230b6215eb69847e0f9f8f119dce72764ef7b2dd5ba16c5161f82d	t	9	\N
8	19	11	\\x012069e6267c53626874ae2ad01d9acae62c21ddfc993ae0967df0a69e13ea2747d702203006eb4b0c3c054068af0cbe14d7d975d6207812c8d1a928e943b569db9c6da3	t	9	\N
8	19	2	\\x01208c470f7ac49a63d4437578ed40e693b3713c3fb2c73b068d66b2d5a7b8740b4602203e776f2ab188defbeeeb3507b965632504bb0da1023e8e2ca786bea9b7ed2b0f	t	9	\N
8	19	4	\\x012040d71d3f998c168e7a254e75c0a1020185cfc67ab52790be92502835953fc41d02203c94519453aa213b92dc9fc0946236b0144553c38837c799e74371f8dbcaa3e2	t	9	\N
8	19	5	\\x01204d8f4dd97e0c7b6fed6367bed08adc1fe2c7f6d22fc76f46d63c674c10e4d0620220885d5a0cb936318757ee67b8a75dd92214e71ce155458a75474af4fb83cd2e41	t	9	\N
8	19	6	\\x0120b430419a8a3fa1ce5cafd92d89fe3e832b39b1f1cab0f351c1b270b585d5eded02201be7be447cbf857962cbb1b6b76edb59475a965a97c4d1552b8970bac413ade1	t	9	\N
8	19	7	\\x012038121022af9b425b5dbf9b56823cf14183bd617022a8bc39a5843c9d7035d0390220de88652f687984cd5231ed303f0ffb3b1a6a725f4a446961b4da9e840578f76e	t	9	\N
8	19	8	\\x0120675657c179a97bde8a8cb572bfe434126b57311f5e9b49171855c5b6d0952dc50220f0c54adc9df50f81185bb4b3be0c17564334e4510ab1b641375dda155735a526	t	9	\N
8	19	9	\\x0120b1e700bec7b4c7c386a589aa095a87af1792fe4b7b95c011e52e6f73327b098e0220e810b2bc7acf14e5c032a79602974d20fb4e6d1b435c885b6ca4167988232bec	t	9	\N
\.

COPY audiences.preflight (ad_account, connection, passed_at, warnings) FROM stdin;
act_1001	facebook_main	2026-11-29 10:06:40.643621+00	{}
\.

COPY audiences.refused_row (audience_id, identifiers, reason, run_id) FROM stdin;
8	\\x01207272727272727272727272727272727272727272727272727272727272727272	no such person	10
\.

COPY audiences.run (id, campaign_id, external_id, audience_id, config_digest, config, control_terms, as_of, state, started_at, ended_at, staging, planned, outcomes, rejected, requests, timings, error, stopped, warnings, assigned_at, due, again) FROM stdin;
1	1	run1	1	2b768948f08a17588b5c044a2599344a71f961fae3d0d52aa2dba0a1eb1986bf	{"who": {"did": {"event": "Added To Cart"}}, "name": "kept", "what": {"guards": {"allow_empty": true, "max_removal": 100}, "audience": {"create": {"name": "Kept"}}, "keep_for": "30 days"}, "when": {"now": true}, "status": "published"}		2026-10-20 10:06:40.643621+00	success	2026-11-29 10:06:40.868944+00	2026-11-29 10:06:48.287024+00	/srv/staging/kept/run1-34e9aedefffddf04	{"kept": 0, "begun": 1, "rekeyed": 0, "over_cap": 0, "targeted": 1, "qualified": 1, "gone_unsent": 0, "begun_unsent": 0, "begun_and_gone": 0}	{"kept": 0, "added": 1, "failed": 0, "removed": 0, "over_cap": 0, "targeted": 1, "opted_out": 0, "qualified": 1, "filtered_out": 0, "no_identifier": 0, "control_custom": 0, "control_system": 0, "control_campaign": 0}	{}	1	{"add": 0.096, "plan": 0.817, "remove": 0.013, "select": 0.449, "extract": 5.33, "open_run": 0.691, "remove_late": 0.003, "link_ad_sets": 0.013}	\N	f	{}	2026-10-20 10:06:40.643621+00	\N	0
2	1	run2	1	2b768948f08a17588b5c044a2599344a71f961fae3d0d52aa2dba0a1eb1986bf	{"who": {"did": {"event": "Added To Cart"}}, "name": "kept", "what": {"guards": {"allow_empty": true, "max_removal": 100}, "audience": {"create": {"name": "Kept"}}, "keep_for": "30 days"}, "when": {"now": true}, "status": "published"}		2026-11-29 10:06:40.643621+00	success	2026-11-29 10:06:48.646984+00	2026-11-29 10:06:50.892155+00	/srv/staging/kept/run2-b5761296cb55333e	{"kept": 0, "begun": 11, "rekeyed": 0, "over_cap": 1, "targeted": 11, "qualified": 12, "gone_unsent": 0, "begun_unsent": 0, "begun_and_gone": 0}	{"kept": 0, "added": 11, "failed": 0, "removed": 1, "over_cap": 1, "targeted": 11, "opted_out": 0, "qualified": 12, "filtered_out": 0, "no_identifier": 0, "control_custom": 0, "control_system": 0, "control_campaign": 0}	{}	2	{"add": 0.061, "plan": 0.8, "remove": 0.116, "select": 0.401, "extract": 0.317, "open_run": 0.527, "remove_late": 0.011, "link_ad_sets": 0.001}	\N	f	{}	2026-11-29 10:06:40.643621+00	\N	0
3	5	run3	3	1b82a2f63f8e6bb9e2138a663c09e5a7cb2d4a5991835bdc958b0467c08f4fc9	{"who": {"did": {"event": "Added To Cart"}, "control_group": {"percent": 25}}, "goal": {"event": "Charged", "within": "5 days", "revenue": "amount"}, "name": "spring", "what": {"guards": {"allow_empty": true, "max_removal": 100}, "ad_sets": ["23861234567890123"], "audience": {"create": {"name": "Carts"}}, "identifiers": ["email", "phone"]}, "when": {"now": true}, "status": "published"}	campaign spring: 25 %	2026-11-29 10:06:40.643621+00	success	2026-11-29 10:06:51.19167+00	2026-11-29 10:06:53.40172+00	/srv/staging/spring/run3-df77df4c3289b689	{"kept": 0, "begun": 9, "rekeyed": 0, "over_cap": 0, "targeted": 9, "qualified": 12, "gone_unsent": 0, "begun_unsent": 0, "begun_and_gone": 0, "control_campaign": 3}	{"kept": 0, "added": 9, "failed": 0, "removed": 0, "over_cap": 0, "targeted": 9, "opted_out": 0, "qualified": 12, "filtered_out": 0, "no_identifier": 0, "control_custom": 0, "control_system": 0, "control_campaign": 3}	{}	1	{"add": 0.035, "plan": 0.754, "remove": 0.028, "select": 0.343, "extract": 0.362, "open_run": 0.548, "remove_late": 0.013, "link_ad_sets": 0.097}	\N	f	{}	2026-11-29 10:06:40.643621+00	\N	0
4	5	run4	3	139bd07eacee128a4bdb1320f6a5ce57a62d9be8eff8434f30f768974d97fb0a	{"who": {"did": {"event": "Added To Cart"}, "control_group": {"percent": 25}}, "goal": {"event": "Charged", "within": "5 days", "revenue": "amount"}, "name": "carts", "what": {"guards": {"allow_empty": true, "max_removal": 100}, "ad_sets": ["23861234567890123"], "audience": {"create": {"name": "Carts"}}, "identifiers": ["email", "phone"]}, "when": {"now": true}, "status": "published", "formerly": ["spring"]}	campaign spring: 25 %	2026-11-29 10:06:40.643621+00	success	2026-11-29 10:06:53.856014+00	2026-11-29 10:06:56.319465+00	/srv/staging/carts/run4-ab3bb5f68a9b427f	{"kept": 8, "begun": 1, "rekeyed": 1, "over_cap": 0, "targeted": 9, "qualified": 11, "gone_unsent": 0, "begun_unsent": 0, "begun_and_gone": 0, "control_campaign": 2}	{"kept": 9, "added": 0, "failed": 0, "removed": 0, "over_cap": 0, "targeted": 9, "opted_out": 0, "qualified": 11, "filtered_out": 0, "no_identifier": 0, "control_custom": 0, "control_system": 0, "control_campaign": 2}	{}	2	{"add": 0.054, "plan": 0.861, "remove": 0.091, "select": 0.448, "extract": 0.337, "open_run": 0.616, "remove_late": 0.003, "link_ad_sets": 0.053}	\N	f	{"took over campaign `spring`, whose file is renamed to this one: its members, control group and history go on here"}	2026-11-29 10:06:40.643621+00	\N	0
5	9	run5	5	9c6fd1f842579e3051dd32bbff2ee385fbcc6d7d9f2976827b84d039627f9ae9	{"who": {"did": {"event": "Added To Cart"}}, "name": "one", "what": {"guards": {"allow_empty": true, "max_removal": 100}, "audience": {"update": {"id": "23851234567890123", "action": "mirror"}}}, "when": {"now": true}, "status": "published"}		2026-11-29 10:06:40.643621+00	success	2026-11-29 10:06:57.780169+00	2026-11-29 10:06:59.465007+00	/srv/staging/one/run5-0f7c26f800b86fc4	{"kept": 0, "begun": 11, "rekeyed": 0, "over_cap": 0, "targeted": 11, "qualified": 11, "gone_unsent": 0, "begun_unsent": 0, "begun_and_gone": 0}	{"kept": 0, "added": 11, "failed": 0, "removed": 0, "over_cap": 0, "targeted": 11, "opted_out": 0, "qualified": 11, "filtered_out": 0, "no_identifier": 0, "control_custom": 0, "control_system": 0, "control_campaign": 0}	{}	1	{"add": 0.025, "plan": 0.512, "remove": 0.005, "select": 0.303, "extract": 0.372, "open_run": 0.47, "remove_late": 0.001, "link_ad_sets": 0.0}	\N	f	{}	2026-11-29 10:06:40.643621+00	\N	0
8	15	live1	7	64dad042287fdfddb01c661239850494f6bec38562f9cfe0701f552a81be1c73	{"who": {"control_group": {"system": false}}, "name": "live", "what": {"audience": {"create": {"name": "Live", "action": "add"}}}, "when": {"on": [{"event": "Added To Cart"}]}, "status": "published", "qualification": "live"}		2026-11-29 10:06:50.643621+00	success	2026-11-29 10:07:06.615585+00	2026-11-29 10:07:08.498834+00	/srv/staging/live/live1-0b010eae9bc95b78	{"kept": 0, "begun": 2, "rekeyed": 0, "over_cap": 0, "targeted": 2, "qualified": 2, "gone_unsent": 0, "begun_unsent": 0, "begun_and_gone": 0}	{"kept": 0, "added": 2, "failed": 0, "removed": 0, "over_cap": 0, "targeted": 2, "opted_out": 0, "qualified": 2, "filtered_out": 0, "no_identifier": 0, "control_custom": 0, "control_system": 0, "control_campaign": 0}	{}	1	{"add": 0.056, "plan": 0.576, "remove": 0.008, "select": 0.315, "extract": 0.44, "open_run": 0.477, "remove_late": 0.01, "link_ad_sets": 0.0}	\N	f	{}	2026-11-29 10:06:50.643621+00	\N	0
6	11	run6	5	ca88f2816de4ff04fc7384cce59cf71da63b5ed14f5886c4a22c6f3661421ec6	{"who": {"did": {"event": "Added To Cart"}}, "name": "two", "what": {"guards": {"allow_empty": true, "max_removal": 100}, "audience": {"update": {"id": "23851234567890123", "action": "mirror"}}}, "when": {"now": true}, "status": "published"}		2026-11-29 10:06:40.643621+00	success	2026-11-29 10:06:59.839582+00	2026-11-29 10:07:01.568476+00	/srv/staging/two/run6-5140c8f36715f76b	{"kept": 0, "begun": 11, "rekeyed": 0, "over_cap": 0, "targeted": 11, "qualified": 11, "gone_unsent": 0, "begun_unsent": 11, "begun_and_gone": 0}	{"kept": 0, "added": 11, "failed": 0, "removed": 0, "over_cap": 0, "targeted": 11, "opted_out": 0, "qualified": 11, "filtered_out": 0, "no_identifier": 0, "control_custom": 0, "control_system": 0, "control_campaign": 0}	{}	0	{"add": 0.002, "plan": 0.695, "remove": 0.004, "select": 0.259, "extract": 0.324, "open_run": 0.432, "remove_late": 0.022, "link_ad_sets": 0.003}	\N	f	{}	2026-11-29 10:06:40.643621+00	\N	0
7	13	run7	6	024055c60c27b98d8eac9c6d033f0b3563bd35d1480949193d27ab271167fe29	{"who": {"did": {"event": "Added To Cart"}}, "name": "weekly", "what": {"guards": {"allow_empty": true, "max_removal": 100}, "refresh": "replace", "audience": {"create": {"name": "Weekly"}}}, "when": {"now": true}, "status": "published"}		2026-11-29 10:06:40.643621+00	success	2026-11-29 10:07:01.860902+00	2026-11-29 10:07:03.873429+00	/srv/staging/weekly/run7-20d40f25e9592e3b	{"kept": 0, "begun": 11, "rekeyed": 0, "over_cap": 0, "targeted": 11, "qualified": 11, "gone_unsent": 0, "begun_unsent": 0, "begun_and_gone": 0}	{"kept": 0, "added": 11, "failed": 0, "removed": 0, "over_cap": 0, "targeted": 11, "opted_out": 0, "qualified": 11, "filtered_out": 0, "no_identifier": 0, "control_custom": 0, "control_system": 0, "control_campaign": 0}	{}	1	{"add": 0.108, "plan": 0.49, "remove": 0.016, "select": 0.288, "extract": 0.439, "open_run": 0.652, "remove_late": 0.007, "link_ad_sets": 0.001}	\N	f	{}	2026-11-29 10:06:40.643621+00	\N	0
9	19	run8	8	98a9ae77df8b7efaa3005408128192a3cebe1fded615c26fce4256d67bca4090	{"who": {"did": {"event": "Added To Cart"}}, "name": "odd", "what": {"guards": {"allow_empty": true, "max_removal": 100}, "audience": {"create": {"name": "Odd"}}}, "when": {"now": true}, "status": "published"}		2026-11-29 10:06:50.643621+00	success	2026-11-29 10:07:09.591764+00	2026-11-29 10:07:11.315329+00	/srv/staging/odd/run8-3d1840db7a9a158e	{"kept": 0, "begun": 10, "rekeyed": 0, "over_cap": 0, "targeted": 10, "opted_out": 1, "qualified": 11, "gone_unsent": 0, "begun_unsent": 0, "begun_and_gone": 0}	{"kept": 0, "added": 10, "failed": 0, "removed": 0, "over_cap": 0, "targeted": 10, "opted_out": 1, "qualified": 11, "filtered_out": 0, "no_identifier": 0, "control_custom": 0, "control_system": 0, "control_campaign": 0}	{}	1	{"add": 0.078, "plan": 0.448, "remove": 0.008, "select": 0.285, "extract": 0.349, "open_run": 0.535, "remove_late": 0.003, "link_ad_sets": 0.0}	\N	f	{}	2026-11-29 10:06:50.643621+00	\N	0
12	19	broken	8	d	{"name": "odd"}	{}	2026-11-29 10:06:40.643621+00	failed	2026-11-25 10:07:12.022515+00	2026-11-25 10:07:12.106618+00	/srv/staging/odd/broken	{}	{}	{}	0	{}	\N	f	{}	2026-11-29 10:06:40.643621+00	\N	0
11	19	dropped	8	d	{"name": "odd"}	{}	2026-11-29 10:06:40.643621+00	stopped	2026-11-25 10:07:11.991613+00	2026-11-25 10:07:12.099564+00	/srv/staging/odd/dropped	{}	{}	{}	0	{}	\N	f	{}	2026-11-29 10:06:40.643621+00	\N	0
13	19	open	8	d	{"name": "odd"}	{}	2026-11-29 10:06:40.643621+00	abandoned	2026-11-25 10:07:12.049948+00	2026-11-25 10:07:12.110078+00	/srv/staging/odd/open	{}	{}	{}	0	{}	\N	f	{}	2026-11-29 10:06:40.643621+00	\N	0
14	19	planned	8	d	{"name": "odd"}	{}	2026-11-29 10:06:40.643621+00	running	2026-11-25 10:07:12.07476+00	\N	/srv/staging/odd/planned	{}	{}	{}	0	{}	\N	f	{}	2026-11-29 10:06:40.643621+00	\N	0
10	19	states	8	d	{"name": "odd"}	{}	2026-11-29 10:06:40.643621+00	failed	2026-11-25 10:07:11.45273+00	2026-11-25 10:07:12.091967+00	/srv/staging/odd/states	{}	{}	{}	0	{}	\N	f	{}	2026-11-29 10:06:40.643621+00	\N	0
\.

COPY audiences.upload_session (id, run_id, audience_id, attempt, facebook_id, schema, closing, state, opened_at, ended_at, error) FROM stdin;
1	7	6	1	7685227795657298554	{EMAIL,PHONE}	closing-0.parquet	ended	2026-11-29 10:07:03.751584+00	2026-11-29 10:07:03.819069+00	\N
2	11	8	1	11001	{EMAIL}	closing.parquet	dropped	\N	2026-11-29 10:07:12.021921+00	never reached Facebook
3	12	8	1	12001	{EMAIL}	closing.parquet	broken	2026-11-25 10:07:12.041124+00	2026-11-29 10:07:12.049666+00	timed out
4	13	8	1	13001	{EMAIL}	closing.parquet	open	2026-11-25 10:07:12.067561+00	\N	\N
5	14	8	1	14001	{EMAIL}	closing.parquet	planned	\N	\N	\N
\.

SELECT pg_catalog.setval('audiences.audience_id_seq', 8, true);

SELECT pg_catalog.setval('audiences.campaign_id_seq', 20, true);

SELECT pg_catalog.setval('audiences.chunk_id_seq', 27, true);

SELECT pg_catalog.setval('audiences.erasure_id_seq', 2, true);

SELECT pg_catalog.setval('audiences.goal_result_id_seq', 1, true);

SELECT pg_catalog.setval('audiences.live_batch_id_seq', 3, true);

SELECT pg_catalog.setval('audiences.run_id_seq', 14, true);

SELECT pg_catalog.setval('audiences.upload_session_id_seq', 5, true);

ALTER TABLE ONLY audiences.ad_account
    ADD CONSTRAINT ad_account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY audiences.ad_set
    ADD CONSTRAINT ad_set_pkey PRIMARY KEY (campaign_id, audience_id, facebook_id);

ALTER TABLE ONLY audiences.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY audiences.assignment
    ADD CONSTRAINT assignment_pkey PRIMARY KEY (campaign_id, user_id);

ALTER TABLE ONLY audiences.audience
    ADD CONSTRAINT audience_facebook_id_key UNIQUE (facebook_id);

ALTER TABLE ONLY audiences.audience
    ADD CONSTRAINT audience_pkey PRIMARY KEY (id);

ALTER TABLE ONLY audiences.campaign_end
    ADD CONSTRAINT campaign_end_pkey PRIMARY KEY (campaign_id);

ALTER TABLE ONLY audiences.campaign
    ADD CONSTRAINT campaign_name_key UNIQUE (name);

ALTER TABLE ONLY audiences.campaign
    ADD CONSTRAINT campaign_pkey PRIMARY KEY (id);

ALTER TABLE ONLY audiences.chunk
    ADD CONSTRAINT chunk_pkey PRIMARY KEY (id);

ALTER TABLE ONLY audiences.chunk
    ADD CONSTRAINT chunk_run_id_number_key UNIQUE (run_id, number);

ALTER TABLE ONLY audiences.erased
    ADD CONSTRAINT erased_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY audiences.erasure
    ADD CONSTRAINT erasure_pkey PRIMARY KEY (id);

ALTER TABLE ONLY audiences.expired
    ADD CONSTRAINT expired_pkey PRIMARY KEY (audience_id, campaign_id, user_id);

ALTER TABLE ONLY audiences.former_name
    ADD CONSTRAINT former_name_pkey PRIMARY KEY (name);

ALTER TABLE ONLY audiences.goal_result
    ADD CONSTRAINT goal_result_pkey PRIMARY KEY (id);

ALTER TABLE ONLY audiences.identity
    ADD CONSTRAINT identity_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY audiences.live_batch
    ADD CONSTRAINT live_batch_pkey PRIMARY KEY (id);

ALTER TABLE ONLY audiences.live_campaign
    ADD CONSTRAINT live_campaign_pkey PRIMARY KEY (campaign_id);

ALTER TABLE ONLY audiences.live_event
    ADD CONSTRAINT live_event_pkey PRIMARY KEY (campaign_id, event_id);

ALTER TABLE ONLY audiences.mapping
    ADD CONSTRAINT mapping_pkey PRIMARY KEY (campaign_id, audience_id);

ALTER TABLE ONLY audiences.preflight
    ADD CONSTRAINT preflight_pkey PRIMARY KEY (ad_account, connection);

ALTER TABLE ONLY audiences.refused_row
    ADD CONSTRAINT refused_row_pkey PRIMARY KEY (audience_id, identifiers);

ALTER TABLE ONLY audiences.run
    ADD CONSTRAINT run_campaign_id_external_id_again_key UNIQUE (campaign_id, external_id, again);

ALTER TABLE ONLY audiences.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY audiences.upload_session
    ADD CONSTRAINT upload_session_pkey PRIMARY KEY (id);

ALTER TABLE ONLY audiences.upload_session
    ADD CONSTRAINT upload_session_run_id_attempt_key UNIQUE (run_id, attempt);

CREATE INDEX chunk_by_audience ON audiences.chunk USING btree (audience_id, acknowledged_at);

CREATE INDEX chunk_parts ON audiences.chunk USING btree (run_id) WHERE (part_of IS NOT NULL);

CREATE INDEX chunk_unsettled ON audiences.chunk USING btree (audience_id) WHERE ((state = 'sending'::text) OR doubtful);

CREATE INDEX goal_result_current ON audiences.goal_result USING btree (campaign_id, goal_digest, as_of DESC, id DESC);

CREATE UNIQUE INDEX live_batch_open ON audiences.live_batch USING btree (campaign_id) WHERE (state = 'open'::text);

CREATE INDEX live_event_of_batch ON audiences.live_event USING btree (batch_id) WHERE (batch_id IS NOT NULL);

CREATE INDEX live_event_of_user ON audiences.live_event USING btree (campaign_id, user_id);

CREATE INDEX live_event_unbatched ON audiences.live_event USING btree (campaign_id) WHERE ((batch_id IS NULL) AND (state = ANY (ARRAY['excluded'::text, 'limited'::text, 'late'::text, 'dropped'::text])));

CREATE INDEX live_event_waiting ON audiences.live_event USING btree (campaign_id, due_at) WHERE (state = 'waiting'::text);

CREATE INDEX member_ended ON audiences.member USING btree (user_id, audience_id) WHERE (removed_run IS NOT NULL);

CREATE INDEX member_now ON audiences.member USING btree (audience_id, campaign_id, user_id, present) WHERE (removed_run IS NULL);

CREATE INDEX run_by_audience ON audiences.run USING btree (audience_id, state);

CREATE INDEX upload_session_by_audience ON audiences.upload_session USING btree (audience_id, state);

ALTER TABLE ONLY audiences.ad_set
    ADD CONSTRAINT ad_set_audience_id_fkey FOREIGN KEY (audience_id) REFERENCES audiences.audience(id);

ALTER TABLE ONLY audiences.ad_set
    ADD CONSTRAINT ad_set_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES audiences.campaign(id);

ALTER TABLE ONLY audiences.ad_set
    ADD CONSTRAINT ad_set_run_id_fkey FOREIGN KEY (run_id) REFERENCES audiences.run(id);

ALTER TABLE ONLY audiences.audience
    ADD CONSTRAINT audience_busy_campaign_fkey FOREIGN KEY (busy_campaign) REFERENCES audiences.campaign(id);

ALTER TABLE ONLY audiences.audience
    ADD CONSTRAINT audience_created_for_fkey FOREIGN KEY (created_for) REFERENCES audiences.campaign(id);

ALTER TABLE ONLY audiences.campaign_end
    ADD CONSTRAINT campaign_end_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES audiences.campaign(id);

ALTER TABLE ONLY audiences.chunk
    ADD CONSTRAINT chunk_audience_id_fkey FOREIGN KEY (audience_id) REFERENCES audiences.audience(id);

ALTER TABLE ONLY audiences.chunk
    ADD CONSTRAINT chunk_part_of_fkey FOREIGN KEY (part_of) REFERENCES audiences.chunk(id);

ALTER TABLE ONLY audiences.chunk
    ADD CONSTRAINT chunk_run_id_fkey FOREIGN KEY (run_id) REFERENCES audiences.run(id);

ALTER TABLE ONLY audiences.chunk
    ADD CONSTRAINT chunk_session_fkey FOREIGN KEY (session) REFERENCES audiences.upload_session(id);

ALTER TABLE ONLY audiences.erased
    ADD CONSTRAINT erased_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES audiences.erasure(id);

ALTER TABLE ONLY audiences.former_name
    ADD CONSTRAINT former_name_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES audiences.campaign(id);

ALTER TABLE ONLY audiences.goal_result
    ADD CONSTRAINT goal_result_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES audiences.campaign(id);

ALTER TABLE ONLY audiences.live_batch
    ADD CONSTRAINT live_batch_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES audiences.campaign(id);

ALTER TABLE ONLY audiences.live_batch
    ADD CONSTRAINT live_batch_run_id_fkey FOREIGN KEY (run_id) REFERENCES audiences.run(id);

ALTER TABLE ONLY audiences.live_campaign
    ADD CONSTRAINT live_campaign_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES audiences.campaign(id);

ALTER TABLE ONLY audiences.mapping
    ADD CONSTRAINT mapping_audience_id_fkey FOREIGN KEY (audience_id) REFERENCES audiences.audience(id);

ALTER TABLE ONLY audiences.mapping
    ADD CONSTRAINT mapping_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES audiences.campaign(id);

ALTER TABLE ONLY audiences.refused_row
    ADD CONSTRAINT refused_row_audience_id_fkey FOREIGN KEY (audience_id) REFERENCES audiences.audience(id);

ALTER TABLE ONLY audiences.refused_row
    ADD CONSTRAINT refused_row_run_id_fkey FOREIGN KEY (run_id) REFERENCES audiences.run(id);

ALTER TABLE ONLY audiences.run
    ADD CONSTRAINT run_audience_id_fkey FOREIGN KEY (audience_id) REFERENCES audiences.audience(id);

ALTER TABLE ONLY audiences.run
    ADD CONSTRAINT run_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES audiences.campaign(id);

ALTER TABLE ONLY audiences.upload_session
    ADD CONSTRAINT upload_session_audience_id_fkey FOREIGN KEY (audience_id) REFERENCES audiences.audience(id);

ALTER TABLE ONLY audiences.upload_session
    ADD CONSTRAINT upload_session_run_id_fkey FOREIGN KEY (run_id) REFERENCES audiences.run(id);
