-- The sample shop's warehouse, made anew. Loaded in the transaction that makes it, so that the rows need no WAL.
DROP SCHEMA IF EXISTS shop CASCADE;
CREATE SCHEMA shop;

CREATE TABLE shop.users (
    id                 bigint PRIMARY KEY,
    email              text,
    phone              text,
    country            text,
    city               text,
    first_name         text,
    last_name          text,
    date_of_birth      date,
    gender             text,
    customer_type      text,
    unsubscribed_email boolean,
    unsubscribed_sms   boolean,
    opted_out          boolean,
    app_version        text,
    device             jsonb,
    interests          text[],
    lifetime_value     numeric(12, 2),
    signed_up_at       timestamptz
);

CREATE TABLE shop.events (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    user_id     bigint,
    name        text,
    occurred_at timestamptz,
    arrived_at  timestamptz DEFAULT now(),
    properties  jsonb
);
