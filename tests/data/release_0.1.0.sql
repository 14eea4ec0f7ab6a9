--
-- PostgreSQL database dump
--


-- Dumped from database version 16.14
-- Dumped by pg_dump version 16.14

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: add_words(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.add_words() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
        BEGIN
            INSERT INTO item_words (user_id, word, item_id)
            SELECT user_id, word, id
            FROM written, words_of(concat_ws(' ', name, notes)) AS word;
            RETURN NULL;
        END $$;


--
-- Name: change_words(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.change_words() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
        BEGIN
            DELETE FROM item_words
            WHERE user_id = NEW.user_id AND item_id = NEW.id AND word IN (
                SELECT words_of(concat_ws(' ', OLD.name, OLD.notes))
                EXCEPT
                SELECT words_of(concat_ws(' ', NEW.name, NEW.notes))
            );
            INSERT INTO item_words (user_id, item_id, word)
            SELECT NEW.user_id, NEW.id, words_of(concat_ws(' ', NEW.name, NEW.notes))
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END $$;


--
-- Name: keep_time(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.keep_time() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
        BEGIN
            -- A generated column is not there yet.
            IF to_jsonb(NEW) - '{updated_at,sort_name}'::text[]
                = to_jsonb(OLD) - '{updated_at,sort_name}'::text[]
            THEN
                NEW.updated_at := OLD.updated_at;
            END IF;
            RETURN NEW;
        END $$;


--
-- Name: log_created_rows(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.log_created_rows() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
        DECLARE
            change text := current_setting('gearshed.change_id', true);
        BEGIN
            IF change <> '' THEN
                INSERT INTO row_changes (user_id, change_id, table_name, row_id, after)
                SELECT user_id, change::bigint, TG_TABLE_NAME, id, to_jsonb(written) - 'sort_name'
                FROM written;
            END IF;
            RETURN NULL;
        END $$;


--
-- Name: log_row_change(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.log_row_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
        DECLARE
            change text := current_setting('gearshed.change_id', true);
        BEGIN
            IF change <> '' AND NEW IS DISTINCT FROM OLD THEN
                INSERT INTO row_changes (user_id, change_id, table_name, row_id, before, after)
                VALUES (
                    coalesce(NEW.user_id, OLD.user_id), change::bigint,
                    TG_TABLE_NAME, coalesce(NEW.id, OLD.id),
                    to_jsonb(OLD) - 'sort_name', to_jsonb(NEW) - 'sort_name'
                );
            END IF;
            RETURN NULL;
        END $$;


--
-- Name: note_last_write(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.note_last_write() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '$user', 'public'
    AS $$
        BEGIN
            INSERT INTO last_writes (user_id, lsn)
            VALUES (NEW.user_id, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'))
            ON CONFLICT (user_id) DO UPDATE
            SET lsn = pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0');
            RETURN NULL;
        END $$;


--
-- Name: remove_words(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.remove_words() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
        BEGIN
            DELETE FROM item_words
            USING gone, words_of(concat_ws(' ', gone.name, gone.notes)) AS said
            WHERE item_words.user_id = gone.user_id
                AND item_words.word = said
                AND item_words.item_id = gone.id;
            RETURN NULL;
        END $$;


--
-- Name: tell_change(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.tell_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
        DECLARE
            everywhere boolean;
            listed boolean;
            touched jsonb;
            told text;
        BEGIN
            SELECT
                bool_or(table_name IN ('categories', 'settings')) OR count(*) > 1000,
                bool_or(
                    table_name IN ('setups', 'setup_items', 'threads', 'candidates')
                    AND (before IS NULL OR after IS NULL
                        OR before ->> 'name' IS DISTINCT FROM after ->> 'name'
                        OR before ->> 'status' IS DISTINCT FROM after ->> 'status')
                )
            INTO everywhere, listed
            FROM row_changes
            WHERE change_id = NEW.id;

            IF everywhere THEN
                PERFORM pg_notify('gearshed_changes', jsonb_build_object('user_id', NEW.user_id)::text);
                RETURN NULL;
            END IF;
            WITH states AS (
                SELECT table_name, row_id, state
                FROM row_changes, unnest(ARRAY[before, after]) AS state
                WHERE change_id = NEW.id AND state IS NOT NULL
            ), changed_items AS (
                SELECT row_id AS id FROM states WHERE table_name = 'items'
            ), changed_setups AS (
                SELECT row_id AS id FROM states WHERE table_name = 'setups'
            )
            SELECT coalesce(jsonb_agg(path), '[]')
            INTO touched
            FROM (
                SELECT 'items/' || id FROM changed_items
                -- An item says which setups use it, and which thread it came from.
                UNION SELECT 'items/' || (state ->> 'item_id') FROM states WHERE table_name = 'setup_items'
                UNION SELECT 'items/' || item_id FROM setup_items
                WHERE setup_id IN (SELECT id FROM changed_setups)
                UNION SELECT 'items/' || (state ->> 'resolved_item_id') FROM states
                WHERE table_name = 'threads'

                UNION SELECT 'setups/' || id FROM changed_setups
                UNION SELECT 'setups/' || (state ->> 'setup_id') FROM states WHERE table_name = 'setup_items'
                UNION SELECT 'setups/' || setup_id FROM setup_items
                WHERE item_id IN (SELECT id FROM changed_items)

                UNION SELECT 'threads/' || row_id FROM states WHERE table_name = 'threads'
                UNION SELECT 'threads/' || (state ->> 'thread_id') FROM states WHERE table_name = 'candidates'
                -- A thread compares its candidates with the item that they would replace.
                UNION SELECT 'threads/' || id FROM threads
                WHERE replaces_item_id IN (SELECT id FROM changed_items)

                UNION SELECT 'images/' || row_id FROM states WHERE table_name = 'images'
            ) AS paths (path)
            WHERE path IS NOT NULL;

            told := jsonb_build_object('user_id', NEW.user_id, 'touched', touched, 'listed', listed);
            IF octet_length(told) > 7900 THEN
                told := jsonb_build_object('user_id', NEW.user_id);
            END IF;
            PERFORM pg_notify('gearshed_changes', told);
            RETURN NULL;
        END $$;


--
-- Name: words_of(text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.words_of(content text) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
 SELECT DISTINCT "left"(word.word, 200) AS "left"
    FROM regexp_split_to_table(lower(words_of.content), '[[:punct:][:space:][:cntrl:]$+<=>^`|~]+'::text) word(word)
   WHERE (word.word <> ''::text);
END;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: api_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_keys (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    name text NOT NULL,
    key_hash text NOT NULL,
    key_prefix text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    scopes text[] DEFAULT '{read,write}'::text[] NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT ck_api_keys_scopes CHECK (((scopes <@ '{read,write}'::text[]) AND ('read'::text = ANY (scopes))))
);


--
-- Name: api_keys_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.api_keys ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.api_keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: attempts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.attempts (
    what bytea NOT NULL,
    count integer NOT NULL,
    until timestamp with time zone NOT NULL
);


--
-- Name: candidates; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.candidates (
    id bigint NOT NULL,
    user_id bigint DEFAULT (current_setting('gearshed.user_id'::text))::bigint NOT NULL,
    thread_id bigint NOT NULL,
    name text NOT NULL,
    weight_grams double precision,
    price_cents bigint,
    category_id bigint,
    status text DEFAULT 'researching'::text NOT NULL,
    pros text,
    cons text,
    notes text,
    product_url text,
    image_id bigint,
    sort_order double precision DEFAULT '0'::double precision NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_candidates_cons CHECK ((octet_length(cons) <= 65536)),
    CONSTRAINT ck_candidates_name CHECK (((btrim(name) <> ''::text) AND (length(name) <= 200))),
    CONSTRAINT ck_candidates_notes CHECK ((octet_length(notes) <= 65536)),
    CONSTRAINT ck_candidates_price_cents CHECK (((price_cents >= 0) AND ((price_cents)::numeric < '1000000000000000'::numeric))),
    CONSTRAINT ck_candidates_product_url CHECK (((product_url ~* '^https?://'::text) AND (length(product_url) <= 8192))),
    CONSTRAINT ck_candidates_pros CHECK ((octet_length(pros) <= 65536)),
    CONSTRAINT ck_candidates_sort_order CHECK (((sort_order > '-Infinity'::double precision) AND (sort_order < 'Infinity'::double precision))),
    CONSTRAINT ck_candidates_status CHECK ((status = ANY (ARRAY['researching'::text, 'ordered'::text, 'arrived'::text]))),
    CONSTRAINT ck_candidates_weight_grams CHECK (((weight_grams >= (0)::double precision) AND (weight_grams < ('1000000000'::numeric)::double precision)))
);

ALTER TABLE ONLY public.candidates FORCE ROW LEVEL SECURITY;


--
-- Name: candidates_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.candidates ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.candidates_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: categories; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.categories (
    id bigint NOT NULL,
    user_id bigint DEFAULT (current_setting('gearshed.user_id'::text))::bigint NOT NULL,
    name text NOT NULL,
    icon text DEFAULT 'package'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_categories_icon CHECK (((icon ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text) AND (length(icon) <= 64))),
    CONSTRAINT ck_categories_name CHECK (((btrim(name) <> ''::text) AND (length(name) <= 200)))
);

ALTER TABLE ONLY public.categories FORCE ROW LEVEL SECURITY;


--
-- Name: categories_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.categories ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.categories_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: changes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.changes (
    id bigint NOT NULL,
    user_id bigint DEFAULT (current_setting('gearshed.user_id'::text))::bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    tool text NOT NULL,
    client text,
    summary text NOT NULL,
    idempotency_key text,
    arguments_hash bytea,
    result jsonb,
    undoes bigint,
    CONSTRAINT ck_changes_idempotency_key CHECK (((idempotency_key <> ''::text) AND (length(idempotency_key) <= 200)))
);

ALTER TABLE ONLY public.changes FORCE ROW LEVEL SECURITY;


--
-- Name: changes_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.changes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: images; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.images (
    id bigint NOT NULL,
    user_id bigint DEFAULT (current_setting('gearshed.user_id'::text))::bigint NOT NULL,
    sha256 bytea,
    mime_type text,
    width integer,
    height integer,
    data bytea,
    filename text,
    source_url text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_images_data CHECK (((num_nulls(sha256, mime_type, width, height, data) = 0) OR ((data IS NULL) AND (filename IS NOT NULL)))),
    CONSTRAINT ck_images_sha256 CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT ck_images_size CHECK (((width > 0) AND (height > 0))),
    CONSTRAINT ck_images_source_url CHECK (((source_url ~* '^https?://'::text) AND (length(source_url) <= 8192)))
);

ALTER TABLE ONLY public.images FORCE ROW LEVEL SECURITY;


--
-- Name: images_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.images ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.images_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: item_words; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.item_words (
    user_id bigint NOT NULL,
    item_id bigint NOT NULL,
    word text NOT NULL COLLATE pg_catalog."C"
);

ALTER TABLE ONLY public.item_words FORCE ROW LEVEL SECURITY;


--
-- Name: items; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.items (
    id bigint NOT NULL,
    user_id bigint DEFAULT (current_setting('gearshed.user_id'::text))::bigint NOT NULL,
    name text NOT NULL,
    weight_grams double precision,
    price_cents bigint,
    quantity integer DEFAULT 1 NOT NULL,
    category_id bigint,
    notes text,
    product_url text,
    image_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    sort_name text GENERATED ALWAYS AS (lower(name)) STORED NOT NULL,
    external_id text,
    CONSTRAINT ck_items_external_id CHECK (((external_id <> ''::text) AND (length(external_id) <= 200))),
    CONSTRAINT ck_items_name CHECK (((btrim(name) <> ''::text) AND (length(name) <= 200))),
    CONSTRAINT ck_items_notes CHECK ((octet_length(notes) <= 65536)),
    CONSTRAINT ck_items_price_cents CHECK (((price_cents >= 0) AND ((price_cents)::numeric < '1000000000000000'::numeric))),
    CONSTRAINT ck_items_product_url CHECK (((product_url ~* '^https?://'::text) AND (length(product_url) <= 8192))),
    CONSTRAINT ck_items_quantity CHECK ((quantity >= 0)),
    CONSTRAINT ck_items_weight_grams CHECK (((weight_grams >= (0)::double precision) AND (weight_grams < ('1000000000'::numeric)::double precision)))
);

ALTER TABLE ONLY public.items FORCE ROW LEVEL SECURITY;


--
-- Name: items_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.items ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.items_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: last_writes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.last_writes (
    user_id bigint NOT NULL,
    lsn bigint NOT NULL
);


--
-- Name: oauth_clients; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.oauth_clients (
    id bigint NOT NULL,
    client_id text NOT NULL,
    client_name text,
    redirect_uris jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT ck_oauth_clients_redirect_uris CHECK ((jsonb_typeof(redirect_uris) = 'array'::text))
);


--
-- Name: oauth_clients_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.oauth_clients ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.oauth_clients_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: oauth_codes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.oauth_codes (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    client_id text NOT NULL,
    code text NOT NULL,
    code_challenge text NOT NULL,
    code_challenge_method text NOT NULL,
    redirect_uri text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used boolean DEFAULT false NOT NULL,
    scopes text[] DEFAULT '{read,write}'::text[] NOT NULL,
    resource text,
    family uuid DEFAULT gen_random_uuid() NOT NULL,
    CONSTRAINT ck_oauth_codes_scopes CHECK ((scopes <@ '{read,write}'::text[]))
);


--
-- Name: oauth_codes_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.oauth_codes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.oauth_codes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: oauth_tokens; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.oauth_tokens (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    client_id text NOT NULL,
    access_token_hash text NOT NULL,
    refresh_token_hash text,
    expires_at timestamp with time zone NOT NULL,
    refresh_expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    scopes text[] DEFAULT '{read,write}'::text[] NOT NULL,
    resource text,
    family uuid DEFAULT gen_random_uuid() NOT NULL,
    consented_at timestamp with time zone DEFAULT now() NOT NULL,
    rotated_at timestamp with time zone,
    CONSTRAINT ck_oauth_tokens_scopes CHECK ((scopes <@ '{read,write}'::text[]))
);


--
-- Name: oauth_tokens_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.oauth_tokens ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.oauth_tokens_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: row_changes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.row_changes (
    user_id bigint DEFAULT (current_setting('gearshed.user_id'::text))::bigint NOT NULL,
    change_id bigint NOT NULL,
    seq bigint NOT NULL,
    table_name text NOT NULL,
    row_id bigint NOT NULL,
    before jsonb,
    after jsonb,
    CONSTRAINT ck_row_changes_before_or_after CHECK ((num_nonnulls(before, after) > 0))
);

ALTER TABLE ONLY public.row_changes FORCE ROW LEVEL SECURITY;


--
-- Name: row_changes_seq_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.row_changes ALTER COLUMN seq ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.row_changes_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: sessions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sessions (
    id text NOT NULL,
    user_id bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
);


--
-- Name: settings; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.settings (
    id bigint NOT NULL,
    user_id bigint DEFAULT (current_setting('gearshed.user_id'::text))::bigint NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    CONSTRAINT ck_settings_key CHECK (((key <> ''::text) AND (length(key) <= 200)))
);

ALTER TABLE ONLY public.settings FORCE ROW LEVEL SECURITY;


--
-- Name: settings_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.settings ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.settings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: setup_items; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.setup_items (
    id bigint NOT NULL,
    user_id bigint DEFAULT (current_setting('gearshed.user_id'::text))::bigint NOT NULL,
    setup_id bigint NOT NULL,
    item_id bigint NOT NULL,
    quantity numeric DEFAULT '1'::numeric NOT NULL,
    classification text DEFAULT 'base'::text NOT NULL,
    worn_quantity numeric DEFAULT '0'::numeric NOT NULL,
    CONSTRAINT ck_setup_items_classification CHECK ((classification = ANY (ARRAY['base'::text, 'worn'::text, 'consumable'::text]))),
    CONSTRAINT ck_setup_items_quantity CHECK (((quantity >= (0)::numeric) AND (quantity < '1000000000'::numeric))),
    CONSTRAINT ck_setup_items_worn_lines_only CHECK (((classification = 'worn'::text) OR (worn_quantity = (0)::numeric))),
    CONSTRAINT ck_setup_items_worn_quantity CHECK (((worn_quantity >= (0)::numeric) AND (worn_quantity <= quantity)))
);

ALTER TABLE ONLY public.setup_items FORCE ROW LEVEL SECURITY;


--
-- Name: setup_items_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.setup_items ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.setup_items_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: setups; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.setups (
    id bigint NOT NULL,
    user_id bigint DEFAULT (current_setting('gearshed.user_id'::text))::bigint NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_setups_name CHECK (((btrim(name) <> ''::text) AND (length(name) <= 200)))
);

ALTER TABLE ONLY public.setups FORCE ROW LEVEL SECURITY;


--
-- Name: setups_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.setups ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.setups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: sqlite_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sqlite_migrations (
    id bigint NOT NULL,
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    version integer NOT NULL,
    owner text NOT NULL,
    counts jsonb NOT NULL,
    checksums jsonb NOT NULL,
    migrated_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: sqlite_migrations_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.sqlite_migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.sqlite_migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: threads; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.threads (
    id bigint NOT NULL,
    user_id bigint DEFAULT (current_setting('gearshed.user_id'::text))::bigint NOT NULL,
    name text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    category_id bigint,
    replaces_item_id bigint,
    resolved_candidate_id bigint,
    resolved_item_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_threads_name CHECK (((btrim(name) <> ''::text) AND (length(name) <= 200))),
    CONSTRAINT ck_threads_status CHECK ((status = ANY (ARRAY['active'::text, 'resolved'::text, 'archived'::text])))
);

ALTER TABLE ONLY public.threads FORCE ROW LEVEL SECURITY;


--
-- Name: threads_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.threads ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.threads_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.users (
    id bigint NOT NULL,
    username text NOT NULL,
    password_hash text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_users_username CHECK (((btrim(username) <> ''::text) AND (length(username) <= 200)))
);


--
-- Name: users_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.users ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alembic_version VALUES
	('0009');


--
-- Data for Name: api_keys; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: attempts; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: candidates; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.candidates VALUES
	(1, 1, 1, 'Tarp', 310, 25000, NULL, 'researching', 'in stock', NULL, NULL, NULL, NULL, 2, '2026-11-25 19:22:30.004874+00', '2026-11-25 19:22:30.039445+00'),
	(2, 1, 1, 'Dome', 1200, 25000, NULL, 'ordered', 'in stock', 'heavy', NULL, NULL, NULL, 1, '2026-11-25 19:22:30.023796+00', '2026-11-25 19:22:30.039445+00');


--
-- Data for Name: categories; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.categories VALUES
	(2, 1, 'Cook System (Stove, cookware, utensils, etc...)', 'package', '2026-11-25 19:22:29.602405+00'),
	(3, 1, 'Utilities (Electronics and some other small stuff)', 'package', '2026-11-25 19:22:29.602405+00'),
	(4, 1, 'Cloth', 'package', '2026-11-25 19:22:29.602405+00'),
	(5, 1, 'Food', 'package', '2026-11-25 19:22:29.602405+00'),
	(6, 1, 'Ditty Bag (Hygiene, first aid, toiletries, etc...)', 'package', '2026-11-25 19:22:29.602405+00'),
	(7, 1, 'Repair', 'wrench', '2026-11-25 19:22:29.759756+00');


--
-- Data for Name: changes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.changes VALUES
	(1, 1, '2026-11-25 19:22:29.602405+00', 'import_csv', 'mcp', 'Created 6 categories, created 63 items, created setup "Ultimate Hike", created 63 setup lines', 'list', '\x4d92edc941fa67662d0ba588e33562fd29976e8fcf0f01551dbc5a5111025719', '{"content": [{"meta": null, "text": "{\"format\":\"lighterpack\",\"items\":63,\"new_categories\":[\"Big 3 (Pack, Tent, Sleep System)\",\"Cook System (Stove, cookware, utensils, etc...)\",\"Utilities (Electronics and some other small stuff)\",\"Cloth\",\"Food\",\"Ditty Bag (Hygiene, first aid, toiletries, etc...)\"],\"setup_id\":1,\"setup_name\":\"Ultimate Hike\",\"change_id\":1,\"undo\":\"undo_change(change_id=1)\"}\nline\tverdict\tcolumn\tnote\n63\tremark\tweight\tnot set: stored as unknown", "type": "text", "annotations": null}], "structured_content": {"undo": "undo_change(change_id=1)", "items": 63, "format": "lighterpack", "setup_id": 1, "verdicts": [{"line": 63, "note": "not set: stored as unknown", "column": "weight", "verdict": "remark"}], "change_id": 1, "setup_name": "Ultimate Hike", "new_categories": ["Big 3 (Pack, Tent, Sleep System)", "Cook System (Stove, cookware, utensils, etc...)", "Utilities (Electronics and some other small stuff)", "Cloth", "Food", "Ditty Bag (Hygiene, first aid, toiletries, etc...)"]}}', NULL),
	(2, 1, '2026-11-25 19:22:29.718357+00', 'update_settings', 'mcp', 'Created 2 settings', NULL, '\x3b479d60f0f02fd025a83f5dd765b45842e7514dffd77601a15f4e1d4c2ac0a6', NULL, NULL),
	(3, 1, '2026-11-25 19:22:29.759756+00', 'create_category', 'mcp', 'Created category "Repair"', NULL, '\xffee1f7464b7a2223adbe3e3eb0570952a26169bd8e9b4b8d3e9d7c4ecfde903', NULL, NULL),
	(4, 1, '2026-11-25 19:22:29.780123+00', 'create_item', 'mcp', 'Created item "Duct tape"', NULL, '\xfebfd0a367ac36c7d1c112304ee00e3caa81e6a831e4c539dca88690f7e32507', NULL, NULL),
	(5, 1, '2026-11-25 19:22:29.799679+00', 'update_item', 'mcp', 'Changed item "Duct tape"', NULL, '\xbf1d62d60954a7951b65835e16fab53c43aa70b2a358f1c2eb9fcc9e8b74727a', NULL, NULL),
	(6, 1, '2026-11-25 19:22:29.972633+00', 'upload_image', 'mcp', 'Created a image, changed item "Duct tape"', NULL, '\xf5153f321a592112eb4a8d8350b931523d45cccb3c93f81289dc5dd5feb2dd80', NULL, NULL),
	(7, 1, '2026-11-25 19:22:29.989261+00', 'create_thread', 'mcp', 'Created thread "A lighter one"', NULL, '\x2ee13e34dea2c003aa3330b5a501bbc4fedc18e095fabbe337a0eff627618870', NULL, NULL),
	(8, 1, '2026-11-25 19:22:30.004874+00', 'add_candidate', 'mcp', 'Created candidate "Tarp"', NULL, '\xb6d272a791d75c235e23dae64d1a3f616bfcca5e38368f78e2554f11319b8a06', NULL, NULL),
	(9, 1, '2026-11-25 19:22:30.023796+00', 'add_candidate', 'mcp', 'Created candidate "Dome"', NULL, '\x50bbbeee7da2422a9612a64a3719d7ed1f55d6f09b9a4b985deba0c72cb88dde', NULL, NULL),
	(10, 1, '2026-11-25 19:22:30.029602+00', 'update_candidate', 'mcp', 'Changed candidate "Dome"', NULL, '\x66e8a26d9415f4a1c58a3df070a7eb2db9248034c8e22c339e202f380b956bee', NULL, NULL),
	(11, 1, '2026-11-25 19:22:30.039445+00', 'rank_candidates', 'mcp', 'Changed 2 candidates', NULL, '\xfca8a0b7f740b74b11ffd229c887f9241eb9d96e2e30bc6b11da4a6cdd61a7cc', NULL, NULL),
	(12, 1, '2026-11-25 19:22:30.056719+00', 'resolve_thread', 'mcp', 'Created item "Tarp", changed a setup line, changed thread "A lighter one"', NULL, '\x28b137e7f04be277aa2239f59a31c5366a78e4399e1fac4571807c4f8c619b82', NULL, NULL),
	(13, 1, '2026-11-25 19:22:30.082834+00', 'copy_setup', 'mcp', 'Created setup "Weekend", created 63 setup lines', NULL, '\x035f1b21c514510a8fc27a9b7ecaff61ba1f87421b05efcc35514d33e77fbb19', NULL, NULL),
	(14, 1, '2026-11-25 19:22:30.097426+00', 'set_setup_items', 'mcp', 'Created a setup line', NULL, '\x24ba87906d8578469b42a24cb5e64f798f98960b242b7225dbaf1507e3bfeebf', NULL, NULL),
	(15, 1, '2026-11-25 19:22:30.113568+00', 'delete_item', 'mcp', 'Deleted item "Duct tape", deleted a setup line, deleted a image', NULL, '\xc918aed847d98417f0dca963bce9c084ee66a83cd282a39ca5432c519fe3eb6c', NULL, NULL),
	(16, 1, '2026-11-25 19:22:30.128435+00', 'undo_change', 'mcp', 'Created a image, created item "Duct tape", created a setup line', NULL, '\xd62ea30ff1462fe7c95e4324227907ff5aa95c0943e024ffa9ac5208388e750d', NULL, 15),
	(17, 1, '2026-11-25 19:22:30.14794+00', 'delete_category', 'mcp', 'Changed 11 items, deleted category "Big 3 (Pack, Tent, Sleep System)"', NULL, '\x032b8fd965ea3e59245e5a726caf9959f8d3425554f6964aae334017df08b4b3', NULL, NULL),
	(18, 1, '2026-11-25 19:22:30.164122+00', 'delete_setup', 'mcp', 'Deleted setup "Weekend", deleted 64 setup lines', NULL, '\x3dd669acd323936107c5876edb8648c1ce2d27a0e3e27a0b3c8b7d655703ab83', NULL, NULL),
	(19, 2, '2026-11-25 19:22:31.840028+00', 'create_item', 'mcp', 'Created item "Stove"', NULL, '\xe94ef1b90667e21e3c21a81954ac72fb4ed0e79b0e929d0b1fd97955a45ad882', NULL, NULL);


--
-- Data for Name: images; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.images VALUES
	(1, 1, '\xa401bf42b76acb849a8a0852f293b536d7b0fc6433aa5bf3c74afe1576203878', 'image/webp', 1, 1, '\x524946464000000057454250565038580a00000010000000000000000000414c504802000000000056503820180000003001009d012a0100010001001c25a400037000fefe06d000', NULL, NULL, '2026-11-25 19:22:29.972633+00');


--
-- Data for Name: item_words; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.item_words VALUES
	(1, 1, 'altus'),
	(1, 1, 'with'),
	(1, 1, 'vest'),
	(1, 1, 'straps'),
	(1, 1, '38'),
	(1, 1, 'styled'),
	(1, 1, 'bonfus'),
	(1, 2, 'pro'),
	(1, 2, 'durston'),
	(1, 2, 'accessories'),
	(1, 2, 'with'),
	(1, 2, 'storage'),
	(1, 2, '1p'),
	(1, 2, 'no'),
	(1, 2, 'and'),
	(1, 2, 'mid'),
	(1, 2, 'bag'),
	(1, 2, 'x'),
	(1, 3, 'lines'),
	(1, 3, 'guy'),
	(1, 4, 'breaks'),
	(1, 4, 'night'),
	(1, 4, 'skalmo'),
	(1, 4, 'sleeping'),
	(1, 4, 'and'),
	(1, 4, '3mm'),
	(1, 4, '3'),
	(1, 4, 'gramlite'),
	(1, 4, 'pad'),
	(1, 4, 'bag'),
	(1, 4, 'under'),
	(1, 4, 'size'),
	(1, 4, '1000mm'),
	(1, 4, 'during'),
	(1, 4, 'for'),
	(1, 4, 'sit'),
	(1, 4, 'backpanel'),
	(1, 4, '600mm'),
	(1, 4, 'as'),
	(1, 5, 'nimbuspacks'),
	(1, 5, 'size'),
	(1, 5, 'm'),
	(1, 5, 'purple'),
	(1, 5, 'stakebag'),
	(1, 5, 'dcf'),
	(1, 5, 'in'),
	(1, 6, '18'),
	(1, 6, 'tent'),
	(1, 6, 'sts'),
	(1, 6, 'ground'),
	(1, 6, 'cm'),
	(1, 6, 'control'),
	(1, 6, 'stakes'),
	(1, 7, 'exped'),
	(1, 7, 'pillow'),
	(1, 7, 'm'),
	(1, 7, 'ultra'),
	(1, 8, 'nxt'),
	(1, 8, 'a'),
	(1, 8, 'rw'),
	(1, 8, 'therm'),
	(1, 8, 'sleeping'),
	(1, 8, 'xlite'),
	(1, 8, 'pad'),
	(1, 8, 'rest'),
	(1, 8, 'neoair'),
	(1, 9, 'astralite'),
	(1, 9, 'quilt'),
	(1, 9, '175'),
	(1, 9, 'wm'),
	(1, 10, 'flz'),
	(1, 10, 'black'),
	(1, 10, '110'),
	(1, 10, '125cm'),
	(1, 10, 'carbon'),
	(1, 10, 'size'),
	(1, 10, 'distance'),
	(1, 10, 'poles'),
	(1, 10, 'trekking'),
	(1, 10, 'diamond'),
	(1, 11, 'nylofume'),
	(1, 11, 'dry'),
	(1, 11, 'extra'),
	(1, 11, 'cloth'),
	(1, 11, 'and'),
	(1, 11, '3'),
	(1, 11, 'keep'),
	(1, 11, 'big'),
	(1, 11, 'to'),
	(1, 11, 'packliner'),
	(1, 12, 'placed'),
	(1, 12, 'shoulder'),
	(1, 12, 'straps'),
	(1, 12, 'water'),
	(1, 12, 'ultraflask'),
	(1, 12, 'for'),
	(1, 12, '600ml'),
	(1, 12, 'hydrapak'),
	(1, 12, 'speed'),
	(1, 12, 'in');
INSERT INTO public.item_words VALUES
	(1, 13, 'cut'),
	(1, 13, 'and'),
	(1, 13, 'evernew'),
	(1, 13, 'less'),
	(1, 13, 'fit'),
	(1, 13, 'weigh'),
	(1, 13, 'cookware'),
	(1, 13, 'to'),
	(1, 13, 'in'),
	(1, 13, 'sputura'),
	(1, 14, 'vargo'),
	(1, 14, 'soaking'),
	(1, 14, 'food'),
	(1, 14, 'coffee'),
	(1, 14, 'fuel'),
	(1, 14, 'also'),
	(1, 14, 'and'),
	(1, 14, 'the'),
	(1, 14, 'can'),
	(1, 14, 'it'),
	(1, 14, 'bot'),
	(1, 14, 'used'),
	(1, 14, 'cup'),
	(1, 14, 'bottle'),
	(1, 14, 'coald'),
	(1, 14, 'using'),
	(1, 14, 'lid'),
	(1, 14, 'for'),
	(1, 14, 'be'),
	(1, 14, 'to'),
	(1, 14, 'ti'),
	(1, 14, 'save'),
	(1, 14, '700'),
	(1, 14, 'as'),
	(1, 15, 'vargo'),
	(1, 15, 'not'),
	(1, 15, 'toaksbag'),
	(1, 15, 'soaking'),
	(1, 15, 'placed'),
	(1, 15, 'nimbuspacks'),
	(1, 15, 'is'),
	(1, 15, 'cold'),
	(1, 15, 'cooking'),
	(1, 15, 'and'),
	(1, 15, 'the'),
	(1, 15, 'can'),
	(1, 15, 'it'),
	(1, 15, 'this'),
	(1, 15, '750'),
	(1, 15, 'utilities'),
	(1, 15, 'bot'),
	(1, 15, 'used'),
	(1, 15, 'stored'),
	(1, 15, 'container'),
	(1, 15, 'are'),
	(1, 15, 'bottle'),
	(1, 15, 'stove'),
	(1, 15, 'inside'),
	(1, 15, 'when'),
	(1, 15, 'for'),
	(1, 15, 'be'),
	(1, 15, 'being'),
	(1, 15, 'ti'),
	(1, 15, 'then'),
	(1, 16, 'ball'),
	(1, 16, 'small'),
	(1, 16, 'mix'),
	(1, 17, 'med'),
	(1, 17, 'ställ'),
	(1, 17, 'k'),
	(1, 17, 'by'),
	(1, 17, 'vindskydd'),
	(1, 17, 'philip'),
	(1, 17, 'brännare'),
	(1, 17, 'och'),
	(1, 18, 't'),
	(1, 18, 'röd'),
	(1, 19, 'toaksbag'),
	(1, 19, 'storage'),
	(1, 19, 'nimbuspacks'),
	(1, 19, '750'),
	(1, 19, 'utilities'),
	(1, 19, 'bag'),
	(1, 19, 'used'),
	(1, 19, 'for'),
	(1, 19, 'as'),
	(1, 20, '10000'),
	(1, 20, 'nitcore'),
	(1, 20, 'nb'),
	(1, 20, '3'),
	(1, 20, 'powerbank'),
	(1, 20, 'gen'),
	(1, 21, 'devices'),
	(1, 21, '1m'),
	(1, 21, 'compatible'),
	(1, 21, 'sleeved'),
	(1, 21, 'cabel'),
	(1, 21, '60w'),
	(1, 21, 'and'),
	(1, 21, 'c');
INSERT INTO public.item_words VALUES
	(1, 21, 'iphone'),
	(1, 21, 'charge'),
	(1, 21, 'usb'),
	(1, 21, 'to'),
	(1, 21, 'cable'),
	(1, 21, 'apple'),
	(1, 21, 'other'),
	(1, 22, 'charger'),
	(1, 22, 'wall'),
	(1, 22, 'pd'),
	(1, 22, 'unisynk'),
	(1, 22, 'supports'),
	(1, 22, 'c'),
	(1, 22, 'up'),
	(1, 22, 'slim'),
	(1, 22, 'usb'),
	(1, 22, 'to'),
	(1, 22, '36w'),
	(1, 23, 'x4'),
	(1, 23, '360'),
	(1, 23, 'insta'),
	(1, 24, 'selfie'),
	(1, 24, 'camera'),
	(1, 24, 'stick'),
	(1, 24, 'for'),
	(1, 24, '360'),
	(1, 24, 'insta'),
	(1, 25, 'mini'),
	(1, 25, '2'),
	(1, 25, 'inreach'),
	(1, 25, 'garmin'),
	(1, 26, 'trail'),
	(1, 26, 'lite'),
	(1, 26, 'montane'),
	(1, 26, 'visor'),
	(1, 27, 'black'),
	(1, 27, 'merinowool'),
	(1, 27, 'buff'),
	(1, 28, 'stretch'),
	(1, 28, 'l'),
	(1, 28, 'anorak'),
	(1, 28, 'wind'),
	(1, 28, 'u'),
	(1, 28, 'montbell'),
	(1, 29, 'light'),
	(1, 29, 'ice'),
	(1, 29, 'breaker'),
	(1, 29, 'cool'),
	(1, 30, 'underkläder'),
	(1, 31, 'patagonia'),
	(1, 31, 'men'),
	(1, 31, 'endless'),
	(1, 31, 'size'),
	(1, 31, 'my'),
	(1, 31, 's'),
	(1, 31, 'run'),
	(1, 31, 'm'),
	(1, 31, 'hiking'),
	(1, 31, 'pants'),
	(1, 31, 'tights'),
	(1, 32, 'hydra'),
	(1, 32, 'runner'),
	(1, 32, 'shoes'),
	(1, 32, 'trail'),
	(1, 32, 'vivabarefoot'),
	(1, 32, 'esc'),
	(1, 33, 'a'),
	(1, 33, 'rain'),
	(1, 33, 'ground'),
	(1, 33, 'cloth'),
	(1, 33, 'also'),
	(1, 33, 'small'),
	(1, 33, 'used'),
	(1, 33, 'kilt'),
	(1, 33, 'be'),
	(1, 33, 'will'),
	(1, 33, 'dcf'),
	(1, 33, 'in'),
	(1, 33, 'zpacks'),
	(1, 33, 'as'),
	(1, 34, 'hestra'),
	(1, 34, 'merino'),
	(1, 34, 'liner'),
	(1, 34, 'wool'),
	(1, 35, 'night'),
	(1, 35, 'senshi'),
	(1, 35, 'design'),
	(1, 35, 'alpha'),
	(1, 35, 'cold'),
	(1, 35, 'l'),
	(1, 35, 'mid'),
	(1, 35, 'used'),
	(1, 35, 'size'),
	(1, 35, 'during'),
	(1, 35, 'layer'),
	(1, 35, 'often'),
	(1, 35, 'or'),
	(1, 35, 'pants'),
	(1, 35, '90'),
	(1, 35, 'evenings');
INSERT INTO public.item_words VALUES
	(1, 36, 'rain'),
	(1, 36, 'versalite'),
	(1, 36, 'montbell'),
	(1, 36, 'jacket'),
	(1, 37, 'extra'),
	(1, 37, 'cold'),
	(1, 37, 'alpine'),
	(1, 37, 'break'),
	(1, 37, 'insolation'),
	(1, 37, 'parka'),
	(1, 37, '1000'),
	(1, 37, 'plasma'),
	(1, 37, 'or'),
	(1, 37, 'for'),
	(1, 37, 'down'),
	(1, 37, 'nights'),
	(1, 37, 'montbell'),
	(1, 38, 'senshi'),
	(1, 38, 'zip'),
	(1, 38, 'crewneck'),
	(1, 38, 'design'),
	(1, 38, 'a90'),
	(1, 38, 'half'),
	(1, 38, 'size'),
	(1, 38, 'xl'),
	(1, 39, 'design'),
	(1, 39, 'high'),
	(1, 39, 'rain'),
	(1, 39, 'ink'),
	(1, 39, 'mitt'),
	(1, 39, 'tail'),
	(1, 40, 'den'),
	(1, 40, '40'),
	(1, 40, 'ankelsocks'),
	(1, 41, 'food'),
	(1, 41, 'storage'),
	(1, 41, 'and'),
	(1, 41, 'utilities'),
	(1, 41, 'bag'),
	(1, 41, 'large'),
	(1, 41, 'some'),
	(1, 41, 'for'),
	(1, 41, 'bonfus'),
	(1, 41, 'dcf'),
	(1, 42, 'flapjack'),
	(1, 42, 'turmat'),
	(1, 42, '500g'),
	(1, 42, 'around'),
	(1, 42, 'food'),
	(1, 42, 'huel'),
	(1, 42, 'candy'),
	(1, 42, '400'),
	(1, 42, 'day'),
	(1, 42, 'also'),
	(1, 42, 'and'),
	(1, 42, 'each'),
	(1, 42, 'days'),
	(1, 42, '6'),
	(1, 42, 'usually'),
	(1, 42, 'some'),
	(1, 42, 'includes'),
	(1, 42, 'snacks'),
	(1, 42, 'for'),
	(1, 42, 'real'),
	(1, 43, 'vargo'),
	(1, 43, 'tent'),
	(1, 43, 'also'),
	(1, 43, 'trowel'),
	(1, 43, 'used'),
	(1, 43, 'stake'),
	(1, 43, 'vestibule'),
	(1, 43, 'for'),
	(1, 43, 'be'),
	(1, 43, 'may'),
	(1, 43, 'as'),
	(1, 44, 'aid'),
	(1, 44, 'tear'),
	(1, 45, 'from'),
	(1, 45, 'bag'),
	(1, 45, 'ditty'),
	(1, 45, 'bonfus'),
	(1, 45, 'dcf'),
	(1, 45, 'in'),
	(1, 46, 'tooth'),
	(1, 46, 'brush'),
	(1, 47, 'mini'),
	(1, 47, 'bic'),
	(1, 48, 'airtag'),
	(1, 49, 'head'),
	(1, 49, 'sometimes'),
	(1, 49, 'thin'),
	(1, 49, 'use'),
	(1, 49, 'you'),
	(1, 49, 'sts'),
	(1, 49, 'but'),
	(1, 49, 'face'),
	(1, 49, 'i'),
	(1, 49, 'from'),
	(1, 49, 'have'),
	(1, 49, 'careful');
INSERT INTO public.item_words VALUES
	(1, 49, 'it'),
	(1, 49, 'mosquitoes'),
	(1, 49, 'berries'),
	(1, 49, 'nano'),
	(1, 49, 'similar'),
	(1, 49, 'keep'),
	(1, 49, 'probably'),
	(1, 49, 'my'),
	(1, 49, 's'),
	(1, 49, 'things'),
	(1, 49, 'net'),
	(1, 49, 'or'),
	(1, 49, 'away'),
	(1, 49, 'be'),
	(1, 49, 'pick'),
	(1, 49, 'to'),
	(1, 49, 'very'),
	(1, 50, 'toalettpapper'),
	(1, 51, 'fiber'),
	(1, 51, '2'),
	(1, 51, 'model'),
	(1, 51, 'no'),
	(1, 51, 'carbon'),
	(1, 51, 'kam'),
	(1, 51, 'comb'),
	(1, 51, 'chicago'),
	(1, 51, 'co'),
	(1, 52, 'sd'),
	(1, 52, 'gul'),
	(1, 52, 'victorinox'),
	(1, 53, 'sized'),
	(1, 53, 'proactively'),
	(1, 53, 'a'),
	(1, 53, 'blisters'),
	(1, 53, 've'),
	(1, 53, 'tape'),
	(1, 53, 'i'),
	(1, 53, 'avoid'),
	(1, 53, 'and'),
	(1, 53, 'can'),
	(1, 53, 'so'),
	(1, 53, 'already'),
	(1, 53, 'bring'),
	(1, 53, 'used'),
	(1, 53, 'usually'),
	(1, 53, 'leukoplast'),
	(1, 53, 'piece'),
	(1, 53, 'that'),
	(1, 53, 'bit'),
	(1, 53, 'feet'),
	(1, 53, 'my'),
	(1, 53, 'reasonably'),
	(1, 53, 'roll'),
	(1, 54, 'dry'),
	(1, 54, 'tent'),
	(1, 54, 'a'),
	(1, 54, 'like'),
	(1, 54, 'disktrasa'),
	(1, 54, 'the'),
	(1, 54, 'condensation'),
	(1, 54, 'things'),
	(1, 54, 'dishes'),
	(1, 54, 'needed'),
	(1, 54, 'or'),
	(1, 54, 'when'),
	(1, 54, 'to'),
	(1, 54, 'in'),
	(1, 54, 'towel'),
	(1, 54, 'as'),
	(1, 55, 'fiber'),
	(1, 55, 'glasses'),
	(1, 55, 'cloth'),
	(1, 55, 'micro'),
	(1, 55, 'my'),
	(1, 55, 'for'),
	(1, 56, 'olja'),
	(1, 56, 'till'),
	(1, 56, 'dropflaskor'),
	(1, 56, '20ml'),
	(1, 56, 'tvål'),
	(1, 56, 'och'),
	(1, 57, 'tandkrämstabletter'),
	(1, 58, 'olja'),
	(1, 58, 'det'),
	(1, 58, 'typ'),
	(1, 58, 'till'),
	(1, 58, 'balsam'),
	(1, 58, 'ansikte'),
	(1, 58, 'mitt'),
	(1, 58, 'grund'),
	(1, 58, 'hår'),
	(1, 58, 'använder'),
	(1, 58, 'torra'),
	(1, 58, 'på'),
	(1, 58, 'av'),
	(1, 58, 'jojobaolja'),
	(1, 58, 'och'),
	(1, 58, 'som'),
	(1, 59, 'bonners'),
	(1, 59, 'dr');
INSERT INTO public.item_words VALUES
	(1, 59, 'tvål'),
	(1, 60, 'coffein'),
	(1, 60, 'tablets'),
	(1, 60, 'and'),
	(1, 60, 'plastic'),
	(1, 60, 'toothpaste'),
	(1, 60, 'bag'),
	(1, 60, 'for'),
	(1, 61, 'me'),
	(1, 61, 'coffein'),
	(1, 61, 'makes'),
	(1, 61, 'breakfast'),
	(1, 61, 'mg'),
	(1, 61, 'tablets'),
	(1, 61, 'sometimes'),
	(1, 61, 'caffeine'),
	(1, 61, 'eager'),
	(1, 61, 'helps'),
	(1, 61, 'with'),
	(1, 61, 'take'),
	(1, 61, 'coffee'),
	(1, 61, 'per'),
	(1, 61, 'i'),
	(1, 61, 'lunch'),
	(1, 61, 'and'),
	(1, 61, 'it'),
	(1, 61, 'less'),
	(1, 61, 'tablet'),
	(1, 61, 'energized'),
	(1, 61, 'for'),
	(1, 61, '200'),
	(1, 61, 'stay'),
	(1, 61, 'of'),
	(1, 61, 'one'),
	(1, 62, 'kort'),
	(1, 62, 'id'),
	(1, 63, 'öronproppar'),
	(1, 65, 'tarp'),
	(1, 64, '2'),
	(1, 64, 'tape'),
	(1, 64, 'duct'),
	(1, 64, 'm'),
	(2, 66, 'stove');


--
-- Data for Name: items; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.items VALUES
	(12, 1, 'Hydrapak ultraflask Speed 600ml', 47.8, NULL, 1, 2, 'For water, placed in shoulder straps', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(13, 1, 'Evernew Sputura', 10, NULL, 1, 2, 'Cut to fit in cookware and to weigh less', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(14, 1, 'Vargo Ti Bottle Bot 700', 137.8, NULL, 1, 2, 'Using the lid as cup for coffee and it can also be used for coald soaking food to save fuel.', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(15, 1, 'Nimbuspacks - Toaksbag 750', 4, NULL, 1, 2, 'Stove and cooking utilities are stored inside this container. It can then be placed inside the Vargo Ti Bottle Bot when it is not being used for cold soaking.', 'https://ufg.quickbutik.com/products/toaksbag', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(16, 1, 'Small mix ball', 8.2, NULL, 1, 2, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(17, 1, 'Brännare by Philip K', 25, NULL, 1, 2, 'Med vindskydd och ställ', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(18, 1, 'T-röd', 100, NULL, 1, 2, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(19, 1, 'Nimbuspacks - Toaksbag 750', 4, NULL, 1, 3, 'Used as storage bag for utilities', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(20, 1, 'NitCore NB 10000 gen 3', 150, NULL, 3, 3, 'Powerbank', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(21, 1, 'USB-C → USB-C cabel', 18.5, NULL, 1, 3, '1m Apple 60W sleeved USB-C cable to charge iPhone and other USB-C compatible devices.', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(22, 1, 'Unisynk Slim 36W Wall Charger', 54.9, NULL, 1, 3, 'Supports up to 36W USB-C PD.', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(23, 1, 'Insta 360 X4', 205, NULL, 1, 3, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(24, 1, 'Selfie Stick for Insta 360 camera', 128, NULL, 1, 3, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(25, 1, 'Garmin InReach Mini 2', 112, NULL, 1, 3, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(26, 1, 'Montane Trail Lite Visor', 30, NULL, 1, 4, '🧢', 'https://www.eventyrsport.se/trail-lite-visor-0722305854.html', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(27, 1, 'Buff', 53.4, NULL, 1, 4, 'Merinowool, black', 'https://www.intersport.se/klader/accessoarer/halsdukar/buff-lightweight-merino-wool-buff/solid-black/onesize?store=149&open_modal=cnc&gad_source=1&gbraid=0AAAAADuom463cyjvfsQIiw_9-tAIo9fQf&gclid=EAIaIQobChMIlaj2u9DohwMVlhmiAx35YxIzEAQYBiABEgJv8vD_BwE&gclsrc=aw.ds', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(28, 1, 'Montbell U.L. Stretch Wind Anorak', 118, NULL, 1, 4, NULL, 'https://www.montbell.com/eu/en/products/detail/2303141?fo=0&color=NV', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(29, 1, 'Ice Breaker Cool Light', 108.5, NULL, 1, 4, NULL, 'https://www.zalando.se/icebreaker-cool-lite-speed-tank-linne-graphite-ce642d08i-c11.html?wmc=CRM46_TMS_SV.ONL_MIX_NMT_TM009_009_240721.&cd084=img_item&cd085=d9b95ea0-4b1f-404b-8c6f-5898b9113b14&wt_cd=16c29a80c0b08e025d1e5119c0f3ef5d&tm_hem=ad44bcb9b614c882b872568581f48553&otid=default', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(30, 1, 'Underkläder', 20, NULL, 2, 4, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(31, 1, 'Patagonia Men''s Endless Run Tights', 188, NULL, 1, 4, 'My hiking pants, Size M', 'https://eu.patagonia.com/se/en/product/mens-endless-run-tights/24827.html?cgid=sport-trail-running-mens', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(32, 1, 'Vivabarefoot Hydra ESC', 680, NULL, 1, 4, 'Trail runner shoes', 'https://www.vivobarefoot.com/se/hydra-esc-mens', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(33, 1, 'Zpacks Rain kilt', 52, NULL, 1, 4, 'In DCF. Will also be used as a small ground cloth', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(34, 1, 'Hestra Merino Wool Liner', 29, NULL, 1, 4, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(35, 1, 'Senshi Design Alpha 90 pants', 101.4, NULL, 1, 4, 'Mid layer, size L. Often used during cold evenings or during night.', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(36, 1, 'Montbell Versalite', 178, NULL, 1, 4, 'Rain jacket', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(37, 1, 'Montbell Plasma 1000 Alpine Down Parka', 239.5, NULL, 1, 4, 'Extra insolation for cold nights or break.', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(38, 1, 'Senshi Design A90 Half-Zip Crewneck', 139, NULL, 1, 4, 'Size XL', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(39, 1, 'High Tail Design Rain Mitt "Ink"', 23, NULL, 1, 4, NULL, 'https://hightaildesigns.com/collections/rain-mitts/products/ultralight-rain-mitt-ink', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(40, 1, 'Ankelsocks', 10, NULL, 3, 4, '40 den', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(1, 1, 'Bonfus Altus 38', 476, NULL, 1, NULL, 'With vest styled straps', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:30.14794+00', DEFAULT, NULL),
	(41, 1, 'Bonfus DCF Food Bag Large', 28, NULL, 1, 5, 'Storage bag for food and some utilities.', 'https://bonfus.com/product/dcf-food-bag/', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(42, 1, 'Food for 6 days', 3240, NULL, 1, 5, 'Usually around 400-500g for each day. Includes flapjack, huel and real turmat. And also some candy and snacks.', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(43, 1, 'Vargo Trowel', 38, NULL, 1, 6, 'May also be used as tent stake for vestibule.', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(44, 1, 'Tear-Aid', 10, NULL, 1, 6, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(45, 1, 'Ditty bag', 5, NULL, 1, 6, 'In DCF from Bonfus', 'https://bonfus.com/product/dcf-ditty-bag/', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(46, 1, 'Tooth brush', 2.6, NULL, 1, 6, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(47, 1, 'Bic Mini', 11, NULL, 1, 6, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(48, 1, 'Airtag', 13, NULL, 1, 6, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(49, 1, 'STS Nano Head Net', 8.2, NULL, 1, 6, 'To keep mosquitoes away from my face. I sometimes use it to pick berries or similar things. But you probably have to be careful. It’s very thin.', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(50, 1, 'Toalettpapper', 17, NULL, 1, 6, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(51, 1, 'Kam', 7, NULL, 1, 6, 'Chicago Comb Co Model No.2 Carbon Fiber', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(52, 1, 'Victorinox SD', 21.3, NULL, 1, 6, 'Gul', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(53, 1, 'Leukoplast', 9, NULL, 1, 6, 'I bring a reasonably sized piece so I can proactively tape my feet and avoid blisters. Usually a roll that I’ve already used a bit.', 'https://www.apotea.se/leukoplast-poros-hafta-2-5cm-x-5-m?utm_source=google&utm_medium=cpc&utm_campaign=%5BPB%5D%20%5BGSC%5D%20-%20Manufacturers&utm_term=Sår-skador&gad_source=1&gbraid=0AAAAAD_A1WTooOV9UgqJ-pv77GlRDbtfJ&gclid=EAIaIQobChMIvKDzrtfAjAMVuWWRBR0ofxfnEAQYAyABEgJN1vD_BwE', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(54, 1, 'Disktrasa', 10, NULL, 1, 6, 'To dry things like condensation in the tent, dishes, or as a towel when needed.', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(55, 1, 'Micro fiber cloth', 7.8, NULL, 1, 6, 'For my glasses', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(56, 1, '20ml dropflaskor', 4, NULL, 2, 6, 'Till tvål och olja', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(57, 1, 'Tandkrämstabletter', 0.66, NULL, 12, 6, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(58, 1, 'Olja', 20, NULL, 1, 6, 'Jojobaolja till ansikte, hår. Använder det på grund av mitt torra ansikte och som balsam typ', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(59, 1, 'Tvål', 20, NULL, 1, 6, 'Dr Bonners', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(60, 1, 'Plastic bag', 2, NULL, 1, 6, 'For Coffein and toothpaste tablets', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(61, 1, 'Coffein tablets', 0.36, NULL, 16, 6, '200 mg of caffeine per tablet. I take one with breakfast and sometimes with lunch. It makes me less eager for coffee and helps me stay energized.', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(62, 1, 'ID kort', NULL, NULL, 1, 6, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(63, 1, 'Öronproppar', 2, NULL, 1, 6, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00', DEFAULT, NULL),
	(65, 1, 'Tarp', 310, 25000, 1, NULL, NULL, NULL, NULL, '2026-11-25 19:22:30.056719+00', '2026-11-25 19:22:30.056719+00', DEFAULT, NULL),
	(64, 1, 'Duct tape', 11.33980925, 450, 1, 7, '2 m', NULL, 1, '2026-11-25 19:22:29.780123+00', '2026-11-25 19:22:29.972633+00', DEFAULT, NULL),
	(2, 1, 'Durston X-mid 1p Pro', 482, NULL, 1, NULL, 'With storage bag and no accessories', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:30.14794+00', DEFAULT, NULL),
	(3, 1, 'Guy Lines', 7, NULL, 4, NULL, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:30.14794+00', DEFAULT, NULL),
	(4, 1, 'Skalmo Gramlite 3', 72.5, NULL, 1, NULL, 'As backpanel for bag, sit pad during breaks and under sleeping pad during night. Size: 3mm * 600mm * 1000mm', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:30.14794+00', DEFAULT, NULL),
	(5, 1, 'Nimbuspacks Stakebag', 5.9, NULL, 1, NULL, 'Purple DCF in size M', 'https://ufg.quickbutik.com/mest-salda/stakebag', NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:30.14794+00', DEFAULT, NULL),
	(6, 1, 'STS Ground Control (18 cm)', 12.9, NULL, 8, NULL, 'Tent stakes', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:30.14794+00', DEFAULT, NULL),
	(7, 1, 'Exped Ultra Pillow M', 48.5, NULL, 1, NULL, NULL, NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:30.14794+00', DEFAULT, NULL),
	(8, 1, 'Therm-A-Rest Neoair XLITE NXT RW', 450, NULL, 1, NULL, 'Sleeping pad', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:30.14794+00', DEFAULT, NULL),
	(9, 1, 'WM Astralite 175', 501, NULL, 1, NULL, 'Quilt', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:30.14794+00', DEFAULT, NULL),
	(10, 1, 'Black Diamond Distance Carbon FLZ', 339, NULL, 1, NULL, 'Trekking poles, size 110-125cm', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:30.14794+00', DEFAULT, NULL),
	(11, 1, 'Nylofume', 28, NULL, 1, NULL, 'Packliner to keep big 3 and extra cloth dry', NULL, NULL, '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:30.14794+00', DEFAULT, NULL),
	(66, 2, 'Stove', 83, NULL, 1, NULL, NULL, NULL, NULL, '2026-11-25 19:22:31.840028+00', '2026-11-25 19:22:31.840028+00', DEFAULT, NULL);


--
-- Data for Name: last_writes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.last_writes VALUES
	(1, 23424192),
	(2, 23426736);


--
-- Data for Name: oauth_clients; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: oauth_codes; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: oauth_tokens; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: row_changes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.row_changes VALUES
	(1, 1, 1, 'categories', 1, NULL, '{"id": 1, "icon": "package", "name": "Big 3 (Pack, Tent, Sleep System)", "user_id": 1, "created_at": "2026-11-25T19:22:29.602405+00:00"}'),
	(1, 1, 2, 'categories', 2, NULL, '{"id": 2, "icon": "package", "name": "Cook System (Stove, cookware, utensils, etc...)", "user_id": 1, "created_at": "2026-11-25T19:22:29.602405+00:00"}'),
	(1, 1, 3, 'categories', 3, NULL, '{"id": 3, "icon": "package", "name": "Utilities (Electronics and some other small stuff)", "user_id": 1, "created_at": "2026-11-25T19:22:29.602405+00:00"}'),
	(1, 1, 4, 'categories', 4, NULL, '{"id": 4, "icon": "package", "name": "Cloth", "user_id": 1, "created_at": "2026-11-25T19:22:29.602405+00:00"}'),
	(1, 1, 5, 'categories', 5, NULL, '{"id": 5, "icon": "package", "name": "Food", "user_id": 1, "created_at": "2026-11-25T19:22:29.602405+00:00"}'),
	(1, 1, 6, 'categories', 6, NULL, '{"id": 6, "icon": "package", "name": "Ditty Bag (Hygiene, first aid, toiletries, etc...)", "user_id": 1, "created_at": "2026-11-25T19:22:29.602405+00:00"}'),
	(1, 1, 7, 'items', 1, NULL, '{"id": 1, "name": "Bonfus Altus 38", "notes": "With vest styled straps", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 476}'),
	(1, 1, 8, 'items', 2, NULL, '{"id": 2, "name": "Durston X-mid 1p Pro", "notes": "With storage bag and no accessories", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 482}'),
	(1, 1, 9, 'items', 3, NULL, '{"id": 3, "name": "Guy Lines", "notes": null, "user_id": 1, "image_id": null, "quantity": 4, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 7}'),
	(1, 1, 10, 'items', 4, NULL, '{"id": 4, "name": "Skalmo Gramlite 3", "notes": "As backpanel for bag, sit pad during breaks and under sleeping pad during night. Size: 3mm * 600mm * 1000mm", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 72.5}'),
	(1, 1, 11, 'items', 5, NULL, '{"id": 5, "name": "Nimbuspacks Stakebag", "notes": "Purple DCF in size M", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": "https://ufg.quickbutik.com/mest-salda/stakebag", "weight_grams": 5.9}'),
	(1, 1, 12, 'items', 6, NULL, '{"id": 6, "name": "STS Ground Control (18 cm)", "notes": "Tent stakes", "user_id": 1, "image_id": null, "quantity": 8, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 12.9}'),
	(1, 1, 13, 'items', 7, NULL, '{"id": 7, "name": "Exped Ultra Pillow M", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 48.5}'),
	(1, 1, 14, 'items', 8, NULL, '{"id": 8, "name": "Therm-A-Rest Neoair XLITE NXT RW", "notes": "Sleeping pad", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 450}'),
	(1, 1, 15, 'items', 9, NULL, '{"id": 9, "name": "WM Astralite 175", "notes": "Quilt", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 501}'),
	(1, 1, 16, 'items', 10, NULL, '{"id": 10, "name": "Black Diamond Distance Carbon FLZ", "notes": "Trekking poles, size 110-125cm", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 339}'),
	(1, 1, 17, 'items', 11, NULL, '{"id": 11, "name": "Nylofume", "notes": "Packliner to keep big 3 and extra cloth dry", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 28}'),
	(1, 1, 18, 'items', 12, NULL, '{"id": 12, "name": "Hydrapak ultraflask Speed 600ml", "notes": "For water, placed in shoulder straps", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 2, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 47.8}'),
	(1, 1, 19, 'items', 13, NULL, '{"id": 13, "name": "Evernew Sputura", "notes": "Cut to fit in cookware and to weigh less", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 2, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 10}'),
	(1, 1, 20, 'items', 14, NULL, '{"id": 14, "name": "Vargo Ti Bottle Bot 700", "notes": "Using the lid as cup for coffee and it can also be used for coald soaking food to save fuel.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 2, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 137.8}'),
	(1, 1, 72, 'setup_items', 2, NULL, '{"id": 2, "item_id": 2, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 21, 'items', 15, NULL, '{"id": 15, "name": "Nimbuspacks - Toaksbag 750", "notes": "Stove and cooking utilities are stored inside this container. It can then be placed inside the Vargo Ti Bottle Bot when it is not being used for cold soaking.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 2, "external_id": null, "price_cents": null, "product_url": "https://ufg.quickbutik.com/products/toaksbag", "weight_grams": 4}'),
	(1, 1, 22, 'items', 16, NULL, '{"id": 16, "name": "Small mix ball", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 2, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 8.2}'),
	(1, 1, 23, 'items', 17, NULL, '{"id": 17, "name": "Brännare by Philip K", "notes": "Med vindskydd och ställ", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 2, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 25}'),
	(1, 1, 24, 'items', 18, NULL, '{"id": 18, "name": "T-röd", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 2, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 100}'),
	(1, 1, 25, 'items', 19, NULL, '{"id": 19, "name": "Nimbuspacks - Toaksbag 750", "notes": "Used as storage bag for utilities", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 3, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 4}'),
	(1, 1, 26, 'items', 20, NULL, '{"id": 20, "name": "NitCore NB 10000 gen 3", "notes": "Powerbank", "user_id": 1, "image_id": null, "quantity": 3, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 3, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 150}'),
	(1, 1, 27, 'items', 21, NULL, '{"id": 21, "name": "USB-C → USB-C cabel", "notes": "1m Apple 60W sleeved USB-C cable to charge iPhone and other USB-C compatible devices.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 3, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 18.5}'),
	(1, 1, 28, 'items', 22, NULL, '{"id": 22, "name": "Unisynk Slim 36W Wall Charger", "notes": "Supports up to 36W USB-C PD.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 3, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 54.9}'),
	(1, 1, 29, 'items', 23, NULL, '{"id": 23, "name": "Insta 360 X4", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 3, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 205}'),
	(1, 1, 30, 'items', 24, NULL, '{"id": 24, "name": "Selfie Stick for Insta 360 camera", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 3, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 128}'),
	(1, 1, 31, 'items', 25, NULL, '{"id": 25, "name": "Garmin InReach Mini 2", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 3, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 112}'),
	(1, 1, 32, 'items', 26, NULL, '{"id": 26, "name": "Montane Trail Lite Visor", "notes": "🧢", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": "https://www.eventyrsport.se/trail-lite-visor-0722305854.html", "weight_grams": 30}'),
	(1, 1, 33, 'items', 27, NULL, '{"id": 27, "name": "Buff", "notes": "Merinowool, black", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": "https://www.intersport.se/klader/accessoarer/halsdukar/buff-lightweight-merino-wool-buff/solid-black/onesize?store=149&open_modal=cnc&gad_source=1&gbraid=0AAAAADuom463cyjvfsQIiw_9-tAIo9fQf&gclid=EAIaIQobChMIlaj2u9DohwMVlhmiAx35YxIzEAQYBiABEgJv8vD_BwE&gclsrc=aw.ds", "weight_grams": 53.4}'),
	(1, 1, 34, 'items', 28, NULL, '{"id": 28, "name": "Montbell U.L. Stretch Wind Anorak", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": "https://www.montbell.com/eu/en/products/detail/2303141?fo=0&color=NV", "weight_grams": 118}'),
	(1, 1, 35, 'items', 29, NULL, '{"id": 29, "name": "Ice Breaker Cool Light", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": "https://www.zalando.se/icebreaker-cool-lite-speed-tank-linne-graphite-ce642d08i-c11.html?wmc=CRM46_TMS_SV.ONL_MIX_NMT_TM009_009_240721.&cd084=img_item&cd085=d9b95ea0-4b1f-404b-8c6f-5898b9113b14&wt_cd=16c29a80c0b08e025d1e5119c0f3ef5d&tm_hem=ad44bcb9b614c882b872568581f48553&otid=default", "weight_grams": 108.5}'),
	(1, 1, 36, 'items', 30, NULL, '{"id": 30, "name": "Underkläder", "notes": null, "user_id": 1, "image_id": null, "quantity": 2, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 20}'),
	(1, 1, 73, 'setup_items', 3, NULL, '{"id": 3, "item_id": 3, "user_id": 1, "quantity": 4, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 37, 'items', 31, NULL, '{"id": 31, "name": "Patagonia Men''s Endless Run Tights", "notes": "My hiking pants, Size M", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": "https://eu.patagonia.com/se/en/product/mens-endless-run-tights/24827.html?cgid=sport-trail-running-mens", "weight_grams": 188}'),
	(1, 1, 38, 'items', 32, NULL, '{"id": 32, "name": "Vivabarefoot Hydra ESC", "notes": "Trail runner shoes", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": "https://www.vivobarefoot.com/se/hydra-esc-mens", "weight_grams": 680}'),
	(1, 1, 39, 'items', 33, NULL, '{"id": 33, "name": "Zpacks Rain kilt", "notes": "In DCF. Will also be used as a small ground cloth", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 52}'),
	(1, 1, 40, 'items', 34, NULL, '{"id": 34, "name": "Hestra Merino Wool Liner", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 29}'),
	(1, 1, 41, 'items', 35, NULL, '{"id": 35, "name": "Senshi Design Alpha 90 pants", "notes": "Mid layer, size L. Often used during cold evenings or during night.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 101.4}'),
	(1, 1, 42, 'items', 36, NULL, '{"id": 36, "name": "Montbell Versalite", "notes": "Rain jacket", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 178}'),
	(1, 1, 43, 'items', 37, NULL, '{"id": 37, "name": "Montbell Plasma 1000 Alpine Down Parka", "notes": "Extra insolation for cold nights or break.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 239.5}'),
	(1, 1, 44, 'items', 38, NULL, '{"id": 38, "name": "Senshi Design A90 Half-Zip Crewneck", "notes": "Size XL", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 139}'),
	(1, 1, 45, 'items', 39, NULL, '{"id": 39, "name": "High Tail Design Rain Mitt \"Ink\"", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": "https://hightaildesigns.com/collections/rain-mitts/products/ultralight-rain-mitt-ink", "weight_grams": 23}'),
	(1, 1, 46, 'items', 40, NULL, '{"id": 40, "name": "Ankelsocks", "notes": "40 den", "user_id": 1, "image_id": null, "quantity": 3, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 4, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 10}'),
	(1, 1, 47, 'items', 41, NULL, '{"id": 41, "name": "Bonfus DCF Food Bag Large", "notes": "Storage bag for food and some utilities.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 5, "external_id": null, "price_cents": null, "product_url": "https://bonfus.com/product/dcf-food-bag/", "weight_grams": 28}'),
	(1, 1, 48, 'items', 42, NULL, '{"id": 42, "name": "Food for 6 days", "notes": "Usually around 400-500g for each day. Includes flapjack, huel and real turmat. And also some candy and snacks.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 5, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 3240}'),
	(1, 1, 49, 'items', 43, NULL, '{"id": 43, "name": "Vargo Trowel", "notes": "May also be used as tent stake for vestibule.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 38}'),
	(1, 1, 50, 'items', 44, NULL, '{"id": 44, "name": "Tear-Aid", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 10}'),
	(1, 1, 51, 'items', 45, NULL, '{"id": 45, "name": "Ditty bag", "notes": "In DCF from Bonfus", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": "https://bonfus.com/product/dcf-ditty-bag/", "weight_grams": 5}'),
	(1, 1, 52, 'items', 46, NULL, '{"id": 46, "name": "Tooth brush", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 2.6}'),
	(1, 1, 53, 'items', 47, NULL, '{"id": 47, "name": "Bic Mini", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 11}'),
	(1, 1, 74, 'setup_items', 4, NULL, '{"id": 4, "item_id": 4, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 54, 'items', 48, NULL, '{"id": 48, "name": "Airtag", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 13}'),
	(1, 1, 55, 'items', 49, NULL, '{"id": 49, "name": "STS Nano Head Net", "notes": "To keep mosquitoes away from my face. I sometimes use it to pick berries or similar things. But you probably have to be careful. It’s very thin.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 8.2}'),
	(1, 1, 56, 'items', 50, NULL, '{"id": 50, "name": "Toalettpapper", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 17}'),
	(1, 1, 57, 'items', 51, NULL, '{"id": 51, "name": "Kam", "notes": "Chicago Comb Co Model No.2 Carbon Fiber", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 7}'),
	(1, 1, 58, 'items', 52, NULL, '{"id": 52, "name": "Victorinox SD", "notes": "Gul", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 21.3}'),
	(1, 1, 59, 'items', 53, NULL, '{"id": 53, "name": "Leukoplast", "notes": "I bring a reasonably sized piece so I can proactively tape my feet and avoid blisters. Usually a roll that I’ve already used a bit.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": "https://www.apotea.se/leukoplast-poros-hafta-2-5cm-x-5-m?utm_source=google&utm_medium=cpc&utm_campaign=%5BPB%5D%20%5BGSC%5D%20-%20Manufacturers&utm_term=Sår-skador&gad_source=1&gbraid=0AAAAAD_A1WTooOV9UgqJ-pv77GlRDbtfJ&gclid=EAIaIQobChMIvKDzrtfAjAMVuWWRBR0ofxfnEAQYAyABEgJN1vD_BwE", "weight_grams": 9}'),
	(1, 1, 60, 'items', 54, NULL, '{"id": 54, "name": "Disktrasa", "notes": "To dry things like condensation in the tent, dishes, or as a towel when needed.", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 10}'),
	(1, 1, 61, 'items', 55, NULL, '{"id": 55, "name": "Micro fiber cloth", "notes": "For my glasses", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 7.8}'),
	(1, 1, 62, 'items', 56, NULL, '{"id": 56, "name": "20ml dropflaskor", "notes": "Till tvål och olja", "user_id": 1, "image_id": null, "quantity": 2, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 4}'),
	(1, 1, 63, 'items', 57, NULL, '{"id": 57, "name": "Tandkrämstabletter", "notes": null, "user_id": 1, "image_id": null, "quantity": 12, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 0.66}'),
	(1, 1, 64, 'items', 58, NULL, '{"id": 58, "name": "Olja", "notes": "Jojobaolja till ansikte, hår. Använder det på grund av mitt torra ansikte och som balsam typ", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 20}'),
	(1, 1, 65, 'items', 59, NULL, '{"id": 59, "name": "Tvål", "notes": "Dr Bonners", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 20}'),
	(1, 1, 66, 'items', 60, NULL, '{"id": 60, "name": "Plastic bag", "notes": "For Coffein and toothpaste tablets", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 2}'),
	(1, 1, 67, 'items', 61, NULL, '{"id": 61, "name": "Coffein tablets", "notes": "200 mg of caffeine per tablet. I take one with breakfast and sometimes with lunch. It makes me less eager for coffee and helps me stay energized.", "user_id": 1, "image_id": null, "quantity": 16, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 0.36}'),
	(1, 1, 68, 'items', 62, NULL, '{"id": 62, "name": "ID kort", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": null}'),
	(1, 1, 69, 'items', 63, NULL, '{"id": 63, "name": "Öronproppar", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 6, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 2}'),
	(1, 1, 70, 'setups', 1, NULL, '{"id": 1, "name": "Ultimate Hike", "user_id": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00"}'),
	(1, 1, 71, 'setup_items', 1, NULL, '{"id": 1, "item_id": 1, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 75, 'setup_items', 5, NULL, '{"id": 5, "item_id": 5, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 76, 'setup_items', 6, NULL, '{"id": 6, "item_id": 6, "user_id": 1, "quantity": 8, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 77, 'setup_items', 7, NULL, '{"id": 7, "item_id": 7, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 78, 'setup_items', 8, NULL, '{"id": 8, "item_id": 8, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 79, 'setup_items', 9, NULL, '{"id": 9, "item_id": 9, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 80, 'setup_items', 10, NULL, '{"id": 10, "item_id": 10, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 1, "classification": "worn"}'),
	(1, 1, 81, 'setup_items', 11, NULL, '{"id": 11, "item_id": 11, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 82, 'setup_items', 12, NULL, '{"id": 12, "item_id": 12, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 83, 'setup_items', 13, NULL, '{"id": 13, "item_id": 13, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 84, 'setup_items', 14, NULL, '{"id": 14, "item_id": 14, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 85, 'setup_items', 15, NULL, '{"id": 15, "item_id": 15, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 86, 'setup_items', 16, NULL, '{"id": 16, "item_id": 16, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 87, 'setup_items', 17, NULL, '{"id": 17, "item_id": 17, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 88, 'setup_items', 18, NULL, '{"id": 18, "item_id": 18, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 1, 89, 'setup_items', 19, NULL, '{"id": 19, "item_id": 19, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 90, 'setup_items', 20, NULL, '{"id": 20, "item_id": 20, "user_id": 1, "quantity": 3, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 91, 'setup_items', 21, NULL, '{"id": 21, "item_id": 21, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 92, 'setup_items', 22, NULL, '{"id": 22, "item_id": 22, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 93, 'setup_items', 23, NULL, '{"id": 23, "item_id": 23, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 94, 'setup_items', 24, NULL, '{"id": 24, "item_id": 24, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 95, 'setup_items', 25, NULL, '{"id": 25, "item_id": 25, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 96, 'setup_items', 26, NULL, '{"id": 26, "item_id": 26, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 1, "classification": "worn"}'),
	(1, 1, 97, 'setup_items', 27, NULL, '{"id": 27, "item_id": 27, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 1, "classification": "worn"}'),
	(1, 1, 98, 'setup_items', 28, NULL, '{"id": 28, "item_id": 28, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 1, "classification": "worn"}'),
	(1, 1, 99, 'setup_items', 29, NULL, '{"id": 29, "item_id": 29, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 1, "classification": "worn"}'),
	(1, 1, 100, 'setup_items', 30, NULL, '{"id": 30, "item_id": 30, "user_id": 1, "quantity": 2, "setup_id": 1, "worn_quantity": 1, "classification": "worn"}');
INSERT INTO public.row_changes VALUES
	(1, 1, 101, 'setup_items', 31, NULL, '{"id": 31, "item_id": 31, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 1, "classification": "worn"}'),
	(1, 1, 102, 'setup_items', 32, NULL, '{"id": 32, "item_id": 32, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 1, "classification": "worn"}'),
	(1, 1, 103, 'setup_items', 33, NULL, '{"id": 33, "item_id": 33, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 104, 'setup_items', 34, NULL, '{"id": 34, "item_id": 34, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 105, 'setup_items', 35, NULL, '{"id": 35, "item_id": 35, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 106, 'setup_items', 36, NULL, '{"id": 36, "item_id": 36, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 107, 'setup_items', 37, NULL, '{"id": 37, "item_id": 37, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 108, 'setup_items', 38, NULL, '{"id": 38, "item_id": 38, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 109, 'setup_items', 39, NULL, '{"id": 39, "item_id": 39, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 110, 'setup_items', 40, NULL, '{"id": 40, "item_id": 40, "user_id": 1, "quantity": 3, "setup_id": 1, "worn_quantity": 1, "classification": "worn"}'),
	(1, 1, 111, 'setup_items', 41, NULL, '{"id": 41, "item_id": 41, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 112, 'setup_items', 42, NULL, '{"id": 42, "item_id": 42, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 1, 113, 'setup_items', 43, NULL, '{"id": 43, "item_id": 43, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 114, 'setup_items', 44, NULL, '{"id": 44, "item_id": 44, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 115, 'setup_items', 45, NULL, '{"id": 45, "item_id": 45, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 116, 'setup_items', 46, NULL, '{"id": 46, "item_id": 46, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 117, 'setup_items', 47, NULL, '{"id": 47, "item_id": 47, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 118, 'setup_items', 48, NULL, '{"id": 48, "item_id": 48, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 119, 'setup_items', 49, NULL, '{"id": 49, "item_id": 49, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 120, 'setup_items', 50, NULL, '{"id": 50, "item_id": 50, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 1, 121, 'setup_items', 51, NULL, '{"id": 51, "item_id": 51, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 122, 'setup_items', 52, NULL, '{"id": 52, "item_id": 52, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 123, 'setup_items', 53, NULL, '{"id": 53, "item_id": 53, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 1, 124, 'setup_items', 54, NULL, '{"id": 54, "item_id": 54, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 125, 'setup_items', 55, NULL, '{"id": 55, "item_id": 55, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 126, 'setup_items', 56, NULL, '{"id": 56, "item_id": 56, "user_id": 1, "quantity": 2, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 127, 'setup_items', 57, NULL, '{"id": 57, "item_id": 57, "user_id": 1, "quantity": 12, "setup_id": 1, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 1, 128, 'setup_items', 58, NULL, '{"id": 58, "item_id": 58, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 1, 129, 'setup_items', 59, NULL, '{"id": 59, "item_id": 59, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 1, 130, 'setup_items', 60, NULL, '{"id": 60, "item_id": 60, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 131, 'setup_items', 61, NULL, '{"id": 61, "item_id": 61, "user_id": 1, "quantity": 16, "setup_id": 1, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 1, 132, 'setup_items', 62, NULL, '{"id": 62, "item_id": 62, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 1, 133, 'setup_items', 63, NULL, '{"id": 63, "item_id": 63, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "base"}'),
	(1, 2, 134, 'settings', 1, NULL, '{"id": 1, "key": "weight_unit", "value": "g", "user_id": 1}'),
	(1, 2, 135, 'settings', 2, NULL, '{"id": 2, "key": "currency", "value": "EUR", "user_id": 1}'),
	(1, 3, 136, 'categories', 7, NULL, '{"id": 7, "icon": "wrench", "name": "Repair", "user_id": 1, "created_at": "2026-11-25T19:22:29.759756+00:00"}'),
	(1, 4, 137, 'items', 64, NULL, '{"id": 64, "name": "Duct tape", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.780123+00:00", "updated_at": "2026-11-25T19:22:29.780123+00:00", "category_id": 7, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 11.33980925}'),
	(1, 13, 172, 'setup_items', 85, NULL, '{"id": 85, "item_id": 22, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 5, 138, 'items', 64, '{"id": 64, "name": "Duct tape", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.780123+00:00", "updated_at": "2026-11-25T19:22:29.780123+00:00", "category_id": 7, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 11.33980925}', '{"id": 64, "name": "Duct tape", "notes": "2 m", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.780123+00:00", "updated_at": "2026-11-25T19:22:29.799679+00:00", "category_id": 7, "external_id": null, "price_cents": 450, "product_url": null, "weight_grams": 11.33980925}'),
	(1, 6, 139, 'images', 1, NULL, '{"id": 1, "data": "\\x524946464000000057454250565038580a00000010000000000000000000414c504802000000000056503820180000003001009d012a0100010001001c25a400037000fefe06d000", "width": 1, "height": 1, "sha256": "\\xa401bf42b76acb849a8a0852f293b536d7b0fc6433aa5bf3c74afe1576203878", "user_id": 1, "filename": null, "mime_type": "image/webp", "created_at": "2026-11-25T19:22:29.972633+00:00", "source_url": null}'),
	(1, 6, 140, 'items', 64, '{"id": 64, "name": "Duct tape", "notes": "2 m", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.780123+00:00", "updated_at": "2026-11-25T19:22:29.799679+00:00", "category_id": 7, "external_id": null, "price_cents": 450, "product_url": null, "weight_grams": 11.33980925}', '{"id": 64, "name": "Duct tape", "notes": "2 m", "user_id": 1, "image_id": 1, "quantity": 1, "created_at": "2026-11-25T19:22:29.780123+00:00", "updated_at": "2026-11-25T19:22:29.972633+00:00", "category_id": 7, "external_id": null, "price_cents": 450, "product_url": null, "weight_grams": 11.33980925}'),
	(1, 8, 142, 'candidates', 1, NULL, '{"id": 1, "cons": null, "name": "Tarp", "pros": "in stock", "notes": null, "status": "researching", "user_id": 1, "image_id": null, "thread_id": 1, "created_at": "2026-11-25T19:22:30.004874+00:00", "sort_order": 1, "updated_at": "2026-11-25T19:22:30.004874+00:00", "category_id": null, "price_cents": 25000, "product_url": null, "weight_grams": 310}'),
	(1, 10, 144, 'candidates', 2, '{"id": 2, "cons": null, "name": "Dome", "pros": "in stock", "notes": null, "status": "researching", "user_id": 1, "image_id": null, "thread_id": 1, "created_at": "2026-11-25T19:22:30.023796+00:00", "sort_order": 2, "updated_at": "2026-11-25T19:22:30.023796+00:00", "category_id": null, "price_cents": 25000, "product_url": null, "weight_grams": 1200}', '{"id": 2, "cons": "heavy", "name": "Dome", "pros": "in stock", "notes": null, "status": "ordered", "user_id": 1, "image_id": null, "thread_id": 1, "created_at": "2026-11-25T19:22:30.023796+00:00", "sort_order": 2, "updated_at": "2026-11-25T19:22:30.029602+00:00", "category_id": null, "price_cents": 25000, "product_url": null, "weight_grams": 1200}'),
	(1, 12, 147, 'items', 65, NULL, '{"id": 65, "name": "Tarp", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:30.056719+00:00", "updated_at": "2026-11-25T19:22:30.056719+00:00", "category_id": null, "external_id": null, "price_cents": 25000, "product_url": null, "weight_grams": 310}'),
	(1, 12, 148, 'setup_items', 42, '{"id": 42, "item_id": 42, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "consumable"}', '{"id": 42, "item_id": 65, "user_id": 1, "quantity": 1, "setup_id": 1, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 12, 149, 'threads', 1, '{"id": 1, "name": "A lighter one", "status": "active", "user_id": 1, "created_at": "2026-11-25T19:22:29.989261+00:00", "updated_at": "2026-11-25T19:22:29.989261+00:00", "category_id": null, "replaces_item_id": 42, "resolved_item_id": null, "resolved_candidate_id": null}', '{"id": 1, "name": "A lighter one", "status": "resolved", "user_id": 1, "created_at": "2026-11-25T19:22:29.989261+00:00", "updated_at": "2026-11-25T19:22:30.056719+00:00", "category_id": null, "replaces_item_id": 42, "resolved_item_id": 65, "resolved_candidate_id": 1}'),
	(1, 14, 214, 'setup_items', 127, NULL, '{"id": 127, "item_id": 64, "user_id": 1, "quantity": 0.500000000, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 16, 218, 'images', 1, NULL, '{"id": 1, "data": "\\x524946464000000057454250565038580a00000010000000000000000000414c504802000000000056503820180000003001009d012a0100010001001c25a400037000fefe06d000", "width": 1, "height": 1, "sha256": "\\xa401bf42b76acb849a8a0852f293b536d7b0fc6433aa5bf3c74afe1576203878", "user_id": 1, "filename": null, "mime_type": "image/webp", "created_at": "2026-11-25T19:22:29.972633+00:00", "source_url": null}'),
	(1, 16, 219, 'items', 64, NULL, '{"id": 64, "name": "Duct tape", "notes": "2 m", "user_id": 1, "image_id": 1, "quantity": 1, "created_at": "2026-11-25T19:22:29.780123+00:00", "updated_at": "2026-11-25T19:22:29.972633+00:00", "category_id": 7, "external_id": null, "price_cents": 450, "product_url": null, "weight_grams": 11.33980925}'),
	(1, 16, 220, 'setup_items', 127, NULL, '{"id": 127, "item_id": 64, "user_id": 1, "quantity": 0.5, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 18, 233, 'setups', 2, '{"id": 2, "name": "Weekend", "user_id": 1, "created_at": "2026-11-25T19:22:30.082834+00:00", "updated_at": "2026-11-25T19:22:30.082834+00:00"}', NULL),
	(1, 18, 234, 'setup_items', 64, '{"id": 64, "item_id": 1, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 235, 'setup_items', 65, '{"id": 65, "item_id": 2, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 236, 'setup_items', 66, '{"id": 66, "item_id": 3, "user_id": 1, "quantity": 4, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 237, 'setup_items', 67, '{"id": 67, "item_id": 4, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 238, 'setup_items', 68, '{"id": 68, "item_id": 5, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 239, 'setup_items', 69, '{"id": 69, "item_id": 6, "user_id": 1, "quantity": 8, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 7, 141, 'threads', 1, NULL, '{"id": 1, "name": "A lighter one", "status": "active", "user_id": 1, "created_at": "2026-11-25T19:22:29.989261+00:00", "updated_at": "2026-11-25T19:22:29.989261+00:00", "category_id": null, "replaces_item_id": 42, "resolved_item_id": null, "resolved_candidate_id": null}'),
	(1, 9, 143, 'candidates', 2, NULL, '{"id": 2, "cons": null, "name": "Dome", "pros": "in stock", "notes": null, "status": "researching", "user_id": 1, "image_id": null, "thread_id": 1, "created_at": "2026-11-25T19:22:30.023796+00:00", "sort_order": 2, "updated_at": "2026-11-25T19:22:30.023796+00:00", "category_id": null, "price_cents": 25000, "product_url": null, "weight_grams": 1200}'),
	(1, 11, 145, 'candidates', 1, '{"id": 1, "cons": null, "name": "Tarp", "pros": "in stock", "notes": null, "status": "researching", "user_id": 1, "image_id": null, "thread_id": 1, "created_at": "2026-11-25T19:22:30.004874+00:00", "sort_order": 1, "updated_at": "2026-11-25T19:22:30.004874+00:00", "category_id": null, "price_cents": 25000, "product_url": null, "weight_grams": 310}', '{"id": 1, "cons": null, "name": "Tarp", "pros": "in stock", "notes": null, "status": "researching", "user_id": 1, "image_id": null, "thread_id": 1, "created_at": "2026-11-25T19:22:30.004874+00:00", "sort_order": 2, "updated_at": "2026-11-25T19:22:30.039445+00:00", "category_id": null, "price_cents": 25000, "product_url": null, "weight_grams": 310}'),
	(1, 11, 146, 'candidates', 2, '{"id": 2, "cons": "heavy", "name": "Dome", "pros": "in stock", "notes": null, "status": "ordered", "user_id": 1, "image_id": null, "thread_id": 1, "created_at": "2026-11-25T19:22:30.023796+00:00", "sort_order": 2, "updated_at": "2026-11-25T19:22:30.029602+00:00", "category_id": null, "price_cents": 25000, "product_url": null, "weight_grams": 1200}', '{"id": 2, "cons": "heavy", "name": "Dome", "pros": "in stock", "notes": null, "status": "ordered", "user_id": 1, "image_id": null, "thread_id": 1, "created_at": "2026-11-25T19:22:30.023796+00:00", "sort_order": 1, "updated_at": "2026-11-25T19:22:30.039445+00:00", "category_id": null, "price_cents": 25000, "product_url": null, "weight_grams": 1200}'),
	(1, 13, 150, 'setups', 2, NULL, '{"id": 2, "name": "Weekend", "user_id": 1, "created_at": "2026-11-25T19:22:30.082834+00:00", "updated_at": "2026-11-25T19:22:30.082834+00:00"}'),
	(1, 13, 151, 'setup_items', 64, NULL, '{"id": 64, "item_id": 1, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 152, 'setup_items', 65, NULL, '{"id": 65, "item_id": 2, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 153, 'setup_items', 66, NULL, '{"id": 66, "item_id": 3, "user_id": 1, "quantity": 4, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 154, 'setup_items', 67, NULL, '{"id": 67, "item_id": 4, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 155, 'setup_items', 68, NULL, '{"id": 68, "item_id": 5, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 156, 'setup_items', 69, NULL, '{"id": 69, "item_id": 6, "user_id": 1, "quantity": 8, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 157, 'setup_items', 70, NULL, '{"id": 70, "item_id": 7, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 158, 'setup_items', 71, NULL, '{"id": 71, "item_id": 8, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 159, 'setup_items', 72, NULL, '{"id": 72, "item_id": 9, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 160, 'setup_items', 73, NULL, '{"id": 73, "item_id": 10, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}'),
	(1, 13, 161, 'setup_items', 74, NULL, '{"id": 74, "item_id": 11, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 162, 'setup_items', 75, NULL, '{"id": 75, "item_id": 12, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 163, 'setup_items', 76, NULL, '{"id": 76, "item_id": 13, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 164, 'setup_items', 77, NULL, '{"id": 77, "item_id": 14, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 165, 'setup_items', 78, NULL, '{"id": 78, "item_id": 15, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 166, 'setup_items', 79, NULL, '{"id": 79, "item_id": 16, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 167, 'setup_items', 80, NULL, '{"id": 80, "item_id": 17, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 168, 'setup_items', 81, NULL, '{"id": 81, "item_id": 18, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 13, 169, 'setup_items', 82, NULL, '{"id": 82, "item_id": 19, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 170, 'setup_items', 83, NULL, '{"id": 83, "item_id": 20, "user_id": 1, "quantity": 3, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 171, 'setup_items', 84, NULL, '{"id": 84, "item_id": 21, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 173, 'setup_items', 86, NULL, '{"id": 86, "item_id": 23, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 174, 'setup_items', 87, NULL, '{"id": 87, "item_id": 24, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 175, 'setup_items', 88, NULL, '{"id": 88, "item_id": 25, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 176, 'setup_items', 89, NULL, '{"id": 89, "item_id": 26, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}'),
	(1, 13, 177, 'setup_items', 90, NULL, '{"id": 90, "item_id": 27, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}'),
	(1, 13, 178, 'setup_items', 91, NULL, '{"id": 91, "item_id": 28, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}'),
	(1, 13, 179, 'setup_items', 92, NULL, '{"id": 92, "item_id": 29, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}'),
	(1, 13, 180, 'setup_items', 93, NULL, '{"id": 93, "item_id": 30, "user_id": 1, "quantity": 2, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}'),
	(1, 13, 181, 'setup_items', 94, NULL, '{"id": 94, "item_id": 31, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}'),
	(1, 13, 182, 'setup_items', 95, NULL, '{"id": 95, "item_id": 32, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}'),
	(1, 13, 183, 'setup_items', 96, NULL, '{"id": 96, "item_id": 33, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 184, 'setup_items', 97, NULL, '{"id": 97, "item_id": 34, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 185, 'setup_items', 98, NULL, '{"id": 98, "item_id": 35, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 186, 'setup_items', 99, NULL, '{"id": 99, "item_id": 36, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 187, 'setup_items', 100, NULL, '{"id": 100, "item_id": 37, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 188, 'setup_items', 101, NULL, '{"id": 101, "item_id": 38, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 189, 'setup_items', 102, NULL, '{"id": 102, "item_id": 39, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}');
INSERT INTO public.row_changes VALUES
	(1, 13, 190, 'setup_items', 103, NULL, '{"id": 103, "item_id": 40, "user_id": 1, "quantity": 3, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}'),
	(1, 13, 191, 'setup_items', 104, NULL, '{"id": 104, "item_id": 41, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 192, 'setup_items', 105, NULL, '{"id": 105, "item_id": 65, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 13, 193, 'setup_items', 106, NULL, '{"id": 106, "item_id": 43, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 194, 'setup_items', 107, NULL, '{"id": 107, "item_id": 44, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 195, 'setup_items', 108, NULL, '{"id": 108, "item_id": 45, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 196, 'setup_items', 109, NULL, '{"id": 109, "item_id": 46, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 197, 'setup_items', 110, NULL, '{"id": 110, "item_id": 47, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 198, 'setup_items', 111, NULL, '{"id": 111, "item_id": 48, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 199, 'setup_items', 112, NULL, '{"id": 112, "item_id": 49, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 200, 'setup_items', 113, NULL, '{"id": 113, "item_id": 50, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 13, 201, 'setup_items', 114, NULL, '{"id": 114, "item_id": 51, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 202, 'setup_items', 115, NULL, '{"id": 115, "item_id": 52, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 203, 'setup_items', 116, NULL, '{"id": 116, "item_id": 53, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 13, 204, 'setup_items', 117, NULL, '{"id": 117, "item_id": 54, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 205, 'setup_items', 118, NULL, '{"id": 118, "item_id": 55, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 206, 'setup_items', 119, NULL, '{"id": 119, "item_id": 56, "user_id": 1, "quantity": 2, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 207, 'setup_items', 120, NULL, '{"id": 120, "item_id": 57, "user_id": 1, "quantity": 12, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 13, 208, 'setup_items', 121, NULL, '{"id": 121, "item_id": 58, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 13, 209, 'setup_items', 122, NULL, '{"id": 122, "item_id": 59, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 13, 210, 'setup_items', 123, NULL, '{"id": 123, "item_id": 60, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 211, 'setup_items', 124, NULL, '{"id": 124, "item_id": 61, "user_id": 1, "quantity": 16, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}'),
	(1, 13, 212, 'setup_items', 125, NULL, '{"id": 125, "item_id": 62, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 13, 213, 'setup_items', 126, NULL, '{"id": 126, "item_id": 63, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}'),
	(1, 15, 215, 'items', 64, '{"id": 64, "name": "Duct tape", "notes": "2 m", "user_id": 1, "image_id": 1, "quantity": 1, "created_at": "2026-11-25T19:22:29.780123+00:00", "updated_at": "2026-11-25T19:22:29.972633+00:00", "category_id": 7, "external_id": null, "price_cents": 450, "product_url": null, "weight_grams": 11.33980925}', NULL),
	(1, 15, 216, 'setup_items', 127, '{"id": 127, "item_id": 64, "user_id": 1, "quantity": 0.500000000, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}', NULL),
	(1, 15, 217, 'images', 1, '{"id": 1, "data": "\\x524946464000000057454250565038580a00000010000000000000000000414c504802000000000056503820180000003001009d012a0100010001001c25a400037000fefe06d000", "width": 1, "height": 1, "sha256": "\\xa401bf42b76acb849a8a0852f293b536d7b0fc6433aa5bf3c74afe1576203878", "user_id": 1, "filename": null, "mime_type": "image/webp", "created_at": "2026-11-25T19:22:29.972633+00:00", "source_url": null}', NULL),
	(1, 17, 221, 'items', 1, '{"id": 1, "name": "Bonfus Altus 38", "notes": "With vest styled straps", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 476}', '{"id": 1, "name": "Bonfus Altus 38", "notes": "With vest styled straps", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:30.14794+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 476}'),
	(1, 17, 222, 'items', 2, '{"id": 2, "name": "Durston X-mid 1p Pro", "notes": "With storage bag and no accessories", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 482}', '{"id": 2, "name": "Durston X-mid 1p Pro", "notes": "With storage bag and no accessories", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:30.14794+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 482}'),
	(1, 17, 223, 'items', 3, '{"id": 3, "name": "Guy Lines", "notes": null, "user_id": 1, "image_id": null, "quantity": 4, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 7}', '{"id": 3, "name": "Guy Lines", "notes": null, "user_id": 1, "image_id": null, "quantity": 4, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:30.14794+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 7}'),
	(1, 17, 224, 'items', 4, '{"id": 4, "name": "Skalmo Gramlite 3", "notes": "As backpanel for bag, sit pad during breaks and under sleeping pad during night. Size: 3mm * 600mm * 1000mm", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 72.5}', '{"id": 4, "name": "Skalmo Gramlite 3", "notes": "As backpanel for bag, sit pad during breaks and under sleeping pad during night. Size: 3mm * 600mm * 1000mm", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:30.14794+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 72.5}'),
	(1, 17, 225, 'items', 5, '{"id": 5, "name": "Nimbuspacks Stakebag", "notes": "Purple DCF in size M", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": "https://ufg.quickbutik.com/mest-salda/stakebag", "weight_grams": 5.9}', '{"id": 5, "name": "Nimbuspacks Stakebag", "notes": "Purple DCF in size M", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:30.14794+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": "https://ufg.quickbutik.com/mest-salda/stakebag", "weight_grams": 5.9}'),
	(1, 18, 240, 'setup_items', 70, '{"id": 70, "item_id": 7, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 17, 226, 'items', 6, '{"id": 6, "name": "STS Ground Control (18 cm)", "notes": "Tent stakes", "user_id": 1, "image_id": null, "quantity": 8, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 12.9}', '{"id": 6, "name": "STS Ground Control (18 cm)", "notes": "Tent stakes", "user_id": 1, "image_id": null, "quantity": 8, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:30.14794+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 12.9}'),
	(1, 17, 227, 'items', 7, '{"id": 7, "name": "Exped Ultra Pillow M", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 48.5}', '{"id": 7, "name": "Exped Ultra Pillow M", "notes": null, "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:30.14794+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 48.5}'),
	(1, 17, 228, 'items', 8, '{"id": 8, "name": "Therm-A-Rest Neoair XLITE NXT RW", "notes": "Sleeping pad", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 450}', '{"id": 8, "name": "Therm-A-Rest Neoair XLITE NXT RW", "notes": "Sleeping pad", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:30.14794+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 450}'),
	(1, 17, 229, 'items', 9, '{"id": 9, "name": "WM Astralite 175", "notes": "Quilt", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 501}', '{"id": 9, "name": "WM Astralite 175", "notes": "Quilt", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:30.14794+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 501}'),
	(1, 17, 230, 'items', 10, '{"id": 10, "name": "Black Diamond Distance Carbon FLZ", "notes": "Trekking poles, size 110-125cm", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 339}', '{"id": 10, "name": "Black Diamond Distance Carbon FLZ", "notes": "Trekking poles, size 110-125cm", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:30.14794+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 339}'),
	(1, 17, 231, 'items', 11, '{"id": 11, "name": "Nylofume", "notes": "Packliner to keep big 3 and extra cloth dry", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:29.602405+00:00", "category_id": 1, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 28}', '{"id": 11, "name": "Nylofume", "notes": "Packliner to keep big 3 and extra cloth dry", "user_id": 1, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:29.602405+00:00", "updated_at": "2026-11-25T19:22:30.14794+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 28}'),
	(1, 17, 232, 'categories', 1, '{"id": 1, "icon": "package", "name": "Big 3 (Pack, Tent, Sleep System)", "user_id": 1, "created_at": "2026-11-25T19:22:29.602405+00:00"}', NULL),
	(1, 18, 241, 'setup_items', 71, '{"id": 71, "item_id": 8, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 242, 'setup_items', 72, '{"id": 72, "item_id": 9, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 243, 'setup_items', 73, '{"id": 73, "item_id": 10, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}', NULL),
	(1, 18, 244, 'setup_items', 74, '{"id": 74, "item_id": 11, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 245, 'setup_items', 75, '{"id": 75, "item_id": 12, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 246, 'setup_items', 76, '{"id": 76, "item_id": 13, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 247, 'setup_items', 77, '{"id": 77, "item_id": 14, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 248, 'setup_items', 78, '{"id": 78, "item_id": 15, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 249, 'setup_items', 79, '{"id": 79, "item_id": 16, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 250, 'setup_items', 80, '{"id": 80, "item_id": 17, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 251, 'setup_items', 81, '{"id": 81, "item_id": 18, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}', NULL),
	(1, 18, 252, 'setup_items', 82, '{"id": 82, "item_id": 19, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 253, 'setup_items', 83, '{"id": 83, "item_id": 20, "user_id": 1, "quantity": 3, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 254, 'setup_items', 84, '{"id": 84, "item_id": 21, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 255, 'setup_items', 85, '{"id": 85, "item_id": 22, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 256, 'setup_items', 86, '{"id": 86, "item_id": 23, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 257, 'setup_items', 87, '{"id": 87, "item_id": 24, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 258, 'setup_items', 88, '{"id": 88, "item_id": 25, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 259, 'setup_items', 89, '{"id": 89, "item_id": 26, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}', NULL),
	(1, 18, 260, 'setup_items', 90, '{"id": 90, "item_id": 27, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}', NULL),
	(1, 18, 261, 'setup_items', 91, '{"id": 91, "item_id": 28, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}', NULL),
	(1, 18, 262, 'setup_items', 92, '{"id": 92, "item_id": 29, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}', NULL),
	(1, 18, 263, 'setup_items', 93, '{"id": 93, "item_id": 30, "user_id": 1, "quantity": 2, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}', NULL),
	(1, 18, 264, 'setup_items', 94, '{"id": 94, "item_id": 31, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}', NULL),
	(1, 18, 265, 'setup_items', 95, '{"id": 95, "item_id": 32, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}', NULL),
	(1, 18, 266, 'setup_items', 96, '{"id": 96, "item_id": 33, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 267, 'setup_items', 97, '{"id": 97, "item_id": 34, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 268, 'setup_items', 98, '{"id": 98, "item_id": 35, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 269, 'setup_items', 99, '{"id": 99, "item_id": 36, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 270, 'setup_items', 100, '{"id": 100, "item_id": 37, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 271, 'setup_items', 101, '{"id": 101, "item_id": 38, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 272, 'setup_items', 102, '{"id": 102, "item_id": 39, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 273, 'setup_items', 103, '{"id": 103, "item_id": 40, "user_id": 1, "quantity": 3, "setup_id": 2, "worn_quantity": 1, "classification": "worn"}', NULL),
	(1, 18, 274, 'setup_items', 104, '{"id": 104, "item_id": 41, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 275, 'setup_items', 106, '{"id": 106, "item_id": 43, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 276, 'setup_items', 107, '{"id": 107, "item_id": 44, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 277, 'setup_items', 108, '{"id": 108, "item_id": 45, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 278, 'setup_items', 109, '{"id": 109, "item_id": 46, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 279, 'setup_items', 110, '{"id": 110, "item_id": 47, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 280, 'setup_items', 111, '{"id": 111, "item_id": 48, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 281, 'setup_items', 112, '{"id": 112, "item_id": 49, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 282, 'setup_items', 113, '{"id": 113, "item_id": 50, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}', NULL),
	(1, 18, 283, 'setup_items', 114, '{"id": 114, "item_id": 51, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 284, 'setup_items', 115, '{"id": 115, "item_id": 52, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 285, 'setup_items', 116, '{"id": 116, "item_id": 53, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}', NULL),
	(1, 18, 286, 'setup_items', 117, '{"id": 117, "item_id": 54, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 287, 'setup_items', 118, '{"id": 118, "item_id": 55, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 288, 'setup_items', 119, '{"id": 119, "item_id": 56, "user_id": 1, "quantity": 2, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 289, 'setup_items', 120, '{"id": 120, "item_id": 57, "user_id": 1, "quantity": 12, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}', NULL),
	(1, 18, 290, 'setup_items', 121, '{"id": 121, "item_id": 58, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}', NULL),
	(1, 18, 291, 'setup_items', 122, '{"id": 122, "item_id": 59, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}', NULL),
	(1, 18, 292, 'setup_items', 123, '{"id": 123, "item_id": 60, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 293, 'setup_items', 124, '{"id": 124, "item_id": 61, "user_id": 1, "quantity": 16, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}', NULL),
	(1, 18, 294, 'setup_items', 125, '{"id": 125, "item_id": 62, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 295, 'setup_items', 126, '{"id": 126, "item_id": 63, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "base"}', NULL),
	(1, 18, 296, 'setup_items', 127, '{"id": 127, "item_id": 64, "user_id": 1, "quantity": 0.5, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}', NULL),
	(1, 18, 297, 'setup_items', 105, '{"id": 105, "item_id": 65, "user_id": 1, "quantity": 1, "setup_id": 2, "worn_quantity": 0, "classification": "consumable"}', NULL),
	(2, 19, 298, 'items', 66, NULL, '{"id": 66, "name": "Stove", "notes": null, "user_id": 2, "image_id": null, "quantity": 1, "created_at": "2026-11-25T19:22:31.840028+00:00", "updated_at": "2026-11-25T19:22:31.840028+00:00", "category_id": null, "external_id": null, "price_cents": null, "product_url": null, "weight_grams": 83}');


--
-- Data for Name: sessions; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: settings; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.settings VALUES
	(1, 1, 'weight_unit', 'g'),
	(2, 1, 'currency', 'EUR');


--
-- Data for Name: setup_items; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.setup_items VALUES
	(1, 1, 1, 1, 1, 'base', 0),
	(2, 1, 1, 2, 1, 'base', 0),
	(3, 1, 1, 3, 4, 'base', 0),
	(4, 1, 1, 4, 1, 'base', 0),
	(5, 1, 1, 5, 1, 'base', 0),
	(6, 1, 1, 6, 8, 'base', 0),
	(7, 1, 1, 7, 1, 'base', 0),
	(8, 1, 1, 8, 1, 'base', 0),
	(9, 1, 1, 9, 1, 'base', 0),
	(10, 1, 1, 10, 1, 'worn', 1),
	(11, 1, 1, 11, 1, 'base', 0),
	(12, 1, 1, 12, 1, 'base', 0),
	(13, 1, 1, 13, 1, 'base', 0),
	(14, 1, 1, 14, 1, 'base', 0),
	(15, 1, 1, 15, 1, 'base', 0),
	(16, 1, 1, 16, 1, 'base', 0),
	(17, 1, 1, 17, 1, 'base', 0),
	(18, 1, 1, 18, 1, 'consumable', 0),
	(19, 1, 1, 19, 1, 'base', 0),
	(20, 1, 1, 20, 3, 'base', 0),
	(21, 1, 1, 21, 1, 'base', 0),
	(22, 1, 1, 22, 1, 'base', 0),
	(23, 1, 1, 23, 1, 'base', 0),
	(24, 1, 1, 24, 1, 'base', 0),
	(25, 1, 1, 25, 1, 'base', 0),
	(26, 1, 1, 26, 1, 'worn', 1),
	(27, 1, 1, 27, 1, 'worn', 1),
	(28, 1, 1, 28, 1, 'worn', 1),
	(29, 1, 1, 29, 1, 'worn', 1),
	(30, 1, 1, 30, 2, 'worn', 1),
	(31, 1, 1, 31, 1, 'worn', 1),
	(32, 1, 1, 32, 1, 'worn', 1),
	(33, 1, 1, 33, 1, 'base', 0),
	(34, 1, 1, 34, 1, 'base', 0),
	(35, 1, 1, 35, 1, 'base', 0),
	(36, 1, 1, 36, 1, 'base', 0),
	(37, 1, 1, 37, 1, 'base', 0),
	(38, 1, 1, 38, 1, 'base', 0),
	(39, 1, 1, 39, 1, 'base', 0),
	(40, 1, 1, 40, 3, 'worn', 1),
	(41, 1, 1, 41, 1, 'base', 0),
	(43, 1, 1, 43, 1, 'base', 0),
	(44, 1, 1, 44, 1, 'base', 0),
	(45, 1, 1, 45, 1, 'base', 0),
	(46, 1, 1, 46, 1, 'base', 0),
	(47, 1, 1, 47, 1, 'base', 0),
	(48, 1, 1, 48, 1, 'base', 0),
	(49, 1, 1, 49, 1, 'base', 0),
	(50, 1, 1, 50, 1, 'consumable', 0),
	(51, 1, 1, 51, 1, 'base', 0),
	(52, 1, 1, 52, 1, 'base', 0),
	(53, 1, 1, 53, 1, 'consumable', 0),
	(54, 1, 1, 54, 1, 'base', 0),
	(55, 1, 1, 55, 1, 'base', 0),
	(56, 1, 1, 56, 2, 'base', 0),
	(57, 1, 1, 57, 12, 'consumable', 0),
	(58, 1, 1, 58, 1, 'consumable', 0),
	(59, 1, 1, 59, 1, 'consumable', 0),
	(60, 1, 1, 60, 1, 'base', 0),
	(61, 1, 1, 61, 16, 'consumable', 0),
	(62, 1, 1, 62, 1, 'base', 0),
	(63, 1, 1, 63, 1, 'base', 0),
	(42, 1, 1, 65, 1, 'consumable', 0);


--
-- Data for Name: setups; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.setups VALUES
	(1, 1, 'Ultimate Hike', '2026-11-25 19:22:29.602405+00', '2026-11-25 19:22:29.602405+00');


--
-- Data for Name: sqlite_migrations; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: threads; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.threads VALUES
	(1, 1, 'A lighter one', 'resolved', NULL, 42, 1, 65, '2026-11-25 19:22:29.989261+00', '2026-11-25 19:22:30.056719+00');


--
-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.users VALUES
	(1, 'ada', NULL, '2026-11-25 19:22:29.449885+00'),
	(2, 'eve', NULL, '2026-11-25 19:22:31.67888+00');


--
-- Name: api_keys_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.api_keys_id_seq', 1, false);


--
-- Name: candidates_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.candidates_id_seq', 2, true);


--
-- Name: categories_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.categories_id_seq', 7, true);


--
-- Name: changes_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.changes_id_seq', 19, true);


--
-- Name: images_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.images_id_seq', 1, true);


--
-- Name: items_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.items_id_seq', 66, true);


--
-- Name: oauth_clients_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.oauth_clients_id_seq', 1, false);


--
-- Name: oauth_codes_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.oauth_codes_id_seq', 1, false);


--
-- Name: oauth_tokens_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.oauth_tokens_id_seq', 1, false);


--
-- Name: row_changes_seq_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.row_changes_seq_seq', 298, true);


--
-- Name: settings_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.settings_id_seq', 2, true);


--
-- Name: setup_items_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.setup_items_id_seq', 127, true);


--
-- Name: setups_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.setups_id_seq', 2, true);


--
-- Name: sqlite_migrations_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.sqlite_migrations_id_seq', 1, false);


--
-- Name: threads_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.threads_id_seq', 1, true);


--
-- Name: users_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.users_id_seq', 2, true);


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: api_keys pk_api_keys; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT pk_api_keys PRIMARY KEY (id);


--
-- Name: attempts pk_attempts; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT pk_attempts PRIMARY KEY (what);


--
-- Name: candidates pk_candidates; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT pk_candidates PRIMARY KEY (id);


--
-- Name: categories pk_categories; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.categories
    ADD CONSTRAINT pk_categories PRIMARY KEY (id);


--
-- Name: changes pk_changes; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT pk_changes PRIMARY KEY (id);


--
-- Name: images pk_images; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.images
    ADD CONSTRAINT pk_images PRIMARY KEY (id);


--
-- Name: item_words pk_item_words; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.item_words
    ADD CONSTRAINT pk_item_words PRIMARY KEY (user_id, word, item_id);


--
-- Name: items pk_items; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.items
    ADD CONSTRAINT pk_items PRIMARY KEY (id);


--
-- Name: last_writes pk_last_writes; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.last_writes
    ADD CONSTRAINT pk_last_writes PRIMARY KEY (user_id);


--
-- Name: oauth_clients pk_oauth_clients; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.oauth_clients
    ADD CONSTRAINT pk_oauth_clients PRIMARY KEY (id);


--
-- Name: oauth_codes pk_oauth_codes; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.oauth_codes
    ADD CONSTRAINT pk_oauth_codes PRIMARY KEY (id);


--
-- Name: oauth_tokens pk_oauth_tokens; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.oauth_tokens
    ADD CONSTRAINT pk_oauth_tokens PRIMARY KEY (id);


--
-- Name: row_changes pk_row_changes; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.row_changes
    ADD CONSTRAINT pk_row_changes PRIMARY KEY (change_id, seq);


--
-- Name: sessions pk_sessions; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT pk_sessions PRIMARY KEY (id);


--
-- Name: settings pk_settings; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT pk_settings PRIMARY KEY (id);


--
-- Name: setup_items pk_setup_items; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.setup_items
    ADD CONSTRAINT pk_setup_items PRIMARY KEY (id);


--
-- Name: setups pk_setups; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.setups
    ADD CONSTRAINT pk_setups PRIMARY KEY (id);


--
-- Name: sqlite_migrations pk_sqlite_migrations; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sqlite_migrations
    ADD CONSTRAINT pk_sqlite_migrations PRIMARY KEY (id);


--
-- Name: threads pk_threads; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.threads
    ADD CONSTRAINT pk_threads PRIMARY KEY (id);


--
-- Name: users pk_users; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);


--
-- Name: api_keys uq_api_keys_key_hash; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash);


--
-- Name: candidates uq_candidates_user_id_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT uq_candidates_user_id_id UNIQUE (user_id, id);


--
-- Name: categories uq_categories_user_id_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.categories
    ADD CONSTRAINT uq_categories_user_id_id UNIQUE (user_id, id);


--
-- Name: changes uq_changes_user_id_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT uq_changes_user_id_id UNIQUE (user_id, id);


--
-- Name: changes uq_changes_user_id_idempotency_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT uq_changes_user_id_idempotency_key UNIQUE (user_id, idempotency_key);


--
-- Name: images uq_images_user_id_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.images
    ADD CONSTRAINT uq_images_user_id_id UNIQUE (user_id, id);


--
-- Name: images uq_images_user_id_sha256; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.images
    ADD CONSTRAINT uq_images_user_id_sha256 UNIQUE (user_id, sha256);


--
-- Name: items uq_items_user_id_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.items
    ADD CONSTRAINT uq_items_user_id_id UNIQUE (user_id, id);


--
-- Name: oauth_clients uq_oauth_clients_client_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.oauth_clients
    ADD CONSTRAINT uq_oauth_clients_client_id UNIQUE (client_id);


--
-- Name: oauth_codes uq_oauth_codes_code; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.oauth_codes
    ADD CONSTRAINT uq_oauth_codes_code UNIQUE (code);


--
-- Name: oauth_tokens uq_oauth_tokens_access_token_hash; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.oauth_tokens
    ADD CONSTRAINT uq_oauth_tokens_access_token_hash UNIQUE (access_token_hash);


--
-- Name: oauth_tokens uq_oauth_tokens_refresh_token_hash; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.oauth_tokens
    ADD CONSTRAINT uq_oauth_tokens_refresh_token_hash UNIQUE (refresh_token_hash);


--
-- Name: settings uq_settings_user_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT uq_settings_user_id_key UNIQUE (user_id, key);


--
-- Name: setup_items uq_setup_items_user_id_setup_id_item_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.setup_items
    ADD CONSTRAINT uq_setup_items_user_id_setup_id_item_id UNIQUE (user_id, setup_id, item_id);


--
-- Name: setups uq_setups_user_id_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.setups
    ADD CONSTRAINT uq_setups_user_id_id UNIQUE (user_id, id);


--
-- Name: threads uq_threads_user_id_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.threads
    ADD CONSTRAINT uq_threads_user_id_id UNIQUE (user_id, id);


--
-- Name: users uq_users_username; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_username UNIQUE (username);


--
-- Name: ix_api_keys_user_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_api_keys_user_id ON public.api_keys USING btree (user_id);


--
-- Name: ix_attempts_until; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_attempts_until ON public.attempts USING btree (until);


--
-- Name: ix_candidates_user_id_category_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_candidates_user_id_category_id ON public.candidates USING btree (user_id, category_id);


--
-- Name: ix_candidates_user_id_image_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_candidates_user_id_image_id ON public.candidates USING btree (user_id, image_id);


--
-- Name: ix_candidates_user_id_thread_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_candidates_user_id_thread_id ON public.candidates USING btree (user_id, thread_id);


--
-- Name: ix_changes_user_id_undoes; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_changes_user_id_undoes ON public.changes USING btree (user_id, undoes);


--
-- Name: ix_items_cheapest; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_items_cheapest ON public.items USING btree (user_id, LEAST(price_cents, '9223372036854775807'::bigint), id);


--
-- Name: ix_items_lightest; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_items_lightest ON public.items USING btree (user_id, LEAST(weight_grams, 'Infinity'::double precision), id);


--
-- Name: ix_items_user_id_category_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_items_user_id_category_id ON public.items USING btree (user_id, category_id);


--
-- Name: ix_items_user_id_created_at_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_items_user_id_created_at_id ON public.items USING btree (user_id, created_at, id);


--
-- Name: ix_items_user_id_image_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_items_user_id_image_id ON public.items USING btree (user_id, image_id) WHERE (image_id IS NOT NULL);


--
-- Name: ix_items_user_id_sort_name_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_items_user_id_sort_name_id ON public.items USING btree (user_id, sort_name, id);


--
-- Name: ix_items_user_id_updated_at_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_items_user_id_updated_at_id ON public.items USING btree (user_id, updated_at, id);


--
-- Name: ix_oauth_codes_client_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_oauth_codes_client_id ON public.oauth_codes USING btree (client_id);


--
-- Name: ix_oauth_codes_user_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_oauth_codes_user_id ON public.oauth_codes USING btree (user_id);


--
-- Name: ix_oauth_tokens_client_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_oauth_tokens_client_id ON public.oauth_tokens USING btree (client_id);


--
-- Name: ix_oauth_tokens_family; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_oauth_tokens_family ON public.oauth_tokens USING btree (family);


--
-- Name: ix_oauth_tokens_user_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_oauth_tokens_user_id ON public.oauth_tokens USING btree (user_id);


--
-- Name: ix_row_changes_user_id_table_name_row_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_row_changes_user_id_table_name_row_id ON public.row_changes USING btree (user_id, table_name, row_id);


--
-- Name: ix_sessions_user_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_sessions_user_id ON public.sessions USING btree (user_id);


--
-- Name: ix_setup_items_user_id_item_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_setup_items_user_id_item_id ON public.setup_items USING btree (user_id, item_id);


--
-- Name: ix_sqlite_migrations_sha256; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_sqlite_migrations_sha256 ON public.sqlite_migrations USING btree (sha256);


--
-- Name: ix_threads_user_id_category_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_threads_user_id_category_id ON public.threads USING btree (user_id, category_id);


--
-- Name: ix_threads_user_id_replaces_item_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_threads_user_id_replaces_item_id ON public.threads USING btree (user_id, replaces_item_id);


--
-- Name: ix_threads_user_id_resolved_candidate_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_threads_user_id_resolved_candidate_id ON public.threads USING btree (user_id, resolved_candidate_id);


--
-- Name: ix_threads_user_id_resolved_item_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_threads_user_id_resolved_item_id ON public.threads USING btree (user_id, resolved_item_id);


--
-- Name: uq_categories_user_id_lower_name; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX uq_categories_user_id_lower_name ON public.categories USING btree (user_id, lower(name));


--
-- Name: uq_items_user_id_external_id; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX uq_items_user_id_external_id ON public.items USING btree (user_id, external_id) WHERE (external_id IS NOT NULL);


--
-- Name: items add_words; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER add_words AFTER INSERT ON public.items REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.add_words();


--
-- Name: items change_words; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER change_words AFTER UPDATE OF name, notes ON public.items FOR EACH ROW WHEN (((old.name IS DISTINCT FROM new.name) OR (old.notes IS DISTINCT FROM new.notes))) EXECUTE FUNCTION public.change_words();


--
-- Name: candidates keep_time; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER keep_time BEFORE UPDATE ON public.candidates FOR EACH ROW EXECUTE FUNCTION public.keep_time();


--
-- Name: items keep_time; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER keep_time BEFORE UPDATE ON public.items FOR EACH ROW EXECUTE FUNCTION public.keep_time();


--
-- Name: setups keep_time; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER keep_time BEFORE UPDATE ON public.setups FOR EACH ROW EXECUTE FUNCTION public.keep_time();


--
-- Name: threads keep_time; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER keep_time BEFORE UPDATE ON public.threads FOR EACH ROW EXECUTE FUNCTION public.keep_time();


--
-- Name: candidates log_created_rows; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_created_rows AFTER INSERT ON public.candidates REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.log_created_rows();


--
-- Name: categories log_created_rows; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_created_rows AFTER INSERT ON public.categories REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.log_created_rows();


--
-- Name: images log_created_rows; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_created_rows AFTER INSERT ON public.images REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.log_created_rows();


--
-- Name: items log_created_rows; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_created_rows AFTER INSERT ON public.items REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.log_created_rows();


--
-- Name: settings log_created_rows; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_created_rows AFTER INSERT ON public.settings REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.log_created_rows();


--
-- Name: setup_items log_created_rows; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_created_rows AFTER INSERT ON public.setup_items REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.log_created_rows();


--
-- Name: setups log_created_rows; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_created_rows AFTER INSERT ON public.setups REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.log_created_rows();


--
-- Name: threads log_created_rows; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_created_rows AFTER INSERT ON public.threads REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.log_created_rows();


--
-- Name: candidates log_row_change; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_row_change AFTER DELETE OR UPDATE ON public.candidates FOR EACH ROW EXECUTE FUNCTION public.log_row_change();


--
-- Name: categories log_row_change; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_row_change AFTER DELETE OR UPDATE ON public.categories FOR EACH ROW EXECUTE FUNCTION public.log_row_change();


--
-- Name: images log_row_change; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_row_change AFTER DELETE OR UPDATE ON public.images FOR EACH ROW EXECUTE FUNCTION public.log_row_change();


--
-- Name: items log_row_change; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_row_change AFTER DELETE OR UPDATE ON public.items FOR EACH ROW EXECUTE FUNCTION public.log_row_change();


--
-- Name: settings log_row_change; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_row_change AFTER DELETE OR UPDATE ON public.settings FOR EACH ROW EXECUTE FUNCTION public.log_row_change();


--
-- Name: setup_items log_row_change; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_row_change AFTER DELETE OR UPDATE ON public.setup_items FOR EACH ROW EXECUTE FUNCTION public.log_row_change();


--
-- Name: setups log_row_change; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_row_change AFTER DELETE OR UPDATE ON public.setups FOR EACH ROW EXECUTE FUNCTION public.log_row_change();


--
-- Name: threads log_row_change; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER log_row_change AFTER DELETE OR UPDATE ON public.threads FOR EACH ROW EXECUTE FUNCTION public.log_row_change();


--
-- Name: changes note_last_write; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER note_last_write AFTER INSERT ON public.changes FOR EACH ROW EXECUTE FUNCTION public.note_last_write();


--
-- Name: items remove_words; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER remove_words AFTER DELETE ON public.items REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.remove_words();


--
-- Name: changes tell_change; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER tell_change AFTER INSERT ON public.changes FOR EACH ROW EXECUTE FUNCTION public.tell_change();


--
-- Name: api_keys fk_api_keys_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT fk_api_keys_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: candidates fk_candidates_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT fk_candidates_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: candidates fk_candidates_user_id_category_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT fk_candidates_user_id_category_id FOREIGN KEY (user_id, category_id) REFERENCES public.categories(user_id, id) ON DELETE SET NULL (category_id) DEFERRABLE;


--
-- Name: candidates fk_candidates_user_id_image_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT fk_candidates_user_id_image_id FOREIGN KEY (user_id, image_id) REFERENCES public.images(user_id, id) ON DELETE SET NULL (image_id) DEFERRABLE;


--
-- Name: candidates fk_candidates_user_id_thread_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT fk_candidates_user_id_thread_id FOREIGN KEY (user_id, thread_id) REFERENCES public.threads(user_id, id) ON DELETE CASCADE DEFERRABLE;


--
-- Name: categories fk_categories_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.categories
    ADD CONSTRAINT fk_categories_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: changes fk_changes_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT fk_changes_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: changes fk_changes_user_id_undoes; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT fk_changes_user_id_undoes FOREIGN KEY (user_id, undoes) REFERENCES public.changes(user_id, id) ON DELETE SET NULL (undoes) DEFERRABLE;


--
-- Name: images fk_images_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.images
    ADD CONSTRAINT fk_images_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: items fk_items_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.items
    ADD CONSTRAINT fk_items_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: items fk_items_user_id_category_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.items
    ADD CONSTRAINT fk_items_user_id_category_id FOREIGN KEY (user_id, category_id) REFERENCES public.categories(user_id, id) ON DELETE SET NULL (category_id) DEFERRABLE;


--
-- Name: items fk_items_user_id_image_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.items
    ADD CONSTRAINT fk_items_user_id_image_id FOREIGN KEY (user_id, image_id) REFERENCES public.images(user_id, id) ON DELETE SET NULL (image_id) DEFERRABLE;


--
-- Name: last_writes fk_last_writes_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.last_writes
    ADD CONSTRAINT fk_last_writes_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: oauth_codes fk_oauth_codes_client_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.oauth_codes
    ADD CONSTRAINT fk_oauth_codes_client_id FOREIGN KEY (client_id) REFERENCES public.oauth_clients(client_id) ON DELETE CASCADE;


--
-- Name: oauth_codes fk_oauth_codes_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.oauth_codes
    ADD CONSTRAINT fk_oauth_codes_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: oauth_tokens fk_oauth_tokens_client_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.oauth_tokens
    ADD CONSTRAINT fk_oauth_tokens_client_id FOREIGN KEY (client_id) REFERENCES public.oauth_clients(client_id) ON DELETE CASCADE;


--
-- Name: oauth_tokens fk_oauth_tokens_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.oauth_tokens
    ADD CONSTRAINT fk_oauth_tokens_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: row_changes fk_row_changes_user_id_change_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.row_changes
    ADD CONSTRAINT fk_row_changes_user_id_change_id FOREIGN KEY (user_id, change_id) REFERENCES public.changes(user_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;


--
-- Name: sessions fk_sessions_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: settings fk_settings_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT fk_settings_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: setup_items fk_setup_items_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.setup_items
    ADD CONSTRAINT fk_setup_items_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: setup_items fk_setup_items_user_id_item_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.setup_items
    ADD CONSTRAINT fk_setup_items_user_id_item_id FOREIGN KEY (user_id, item_id) REFERENCES public.items(user_id, id) ON DELETE CASCADE DEFERRABLE;


--
-- Name: setup_items fk_setup_items_user_id_setup_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.setup_items
    ADD CONSTRAINT fk_setup_items_user_id_setup_id FOREIGN KEY (user_id, setup_id) REFERENCES public.setups(user_id, id) ON DELETE CASCADE DEFERRABLE;


--
-- Name: setups fk_setups_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.setups
    ADD CONSTRAINT fk_setups_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: threads fk_threads_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.threads
    ADD CONSTRAINT fk_threads_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: threads fk_threads_user_id_category_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.threads
    ADD CONSTRAINT fk_threads_user_id_category_id FOREIGN KEY (user_id, category_id) REFERENCES public.categories(user_id, id) ON DELETE SET NULL (category_id) DEFERRABLE;


--
-- Name: threads fk_threads_user_id_replaces_item_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.threads
    ADD CONSTRAINT fk_threads_user_id_replaces_item_id FOREIGN KEY (user_id, replaces_item_id) REFERENCES public.items(user_id, id) ON DELETE SET NULL (replaces_item_id) DEFERRABLE;


--
-- Name: threads fk_threads_user_id_resolved_candidate_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.threads
    ADD CONSTRAINT fk_threads_user_id_resolved_candidate_id FOREIGN KEY (user_id, resolved_candidate_id) REFERENCES public.candidates(user_id, id) ON DELETE SET NULL (resolved_candidate_id) DEFERRABLE;


--
-- Name: threads fk_threads_user_id_resolved_item_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.threads
    ADD CONSTRAINT fk_threads_user_id_resolved_item_id FOREIGN KEY (user_id, resolved_item_id) REFERENCES public.items(user_id, id) ON DELETE SET NULL (resolved_item_id) DEFERRABLE;


--
-- Name: candidates; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.candidates ENABLE ROW LEVEL SECURITY;

--
-- Name: categories; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.categories ENABLE ROW LEVEL SECURITY;

--
-- Name: changes; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.changes ENABLE ROW LEVEL SECURITY;

--
-- Name: images; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.images ENABLE ROW LEVEL SECURITY;

--
-- Name: item_words; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.item_words ENABLE ROW LEVEL SECURITY;

--
-- Name: items; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.items ENABLE ROW LEVEL SECURITY;

--
-- Name: candidates own_rows; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_rows ON public.candidates USING ((user_id = ( SELECT (current_setting('gearshed.user_id'::text))::bigint AS current_setting)));


--
-- Name: categories own_rows; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_rows ON public.categories USING ((user_id = ( SELECT (current_setting('gearshed.user_id'::text))::bigint AS current_setting)));


--
-- Name: changes own_rows; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_rows ON public.changes USING ((user_id = ( SELECT (current_setting('gearshed.user_id'::text))::bigint AS current_setting)));


--
-- Name: images own_rows; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_rows ON public.images USING ((user_id = ( SELECT (current_setting('gearshed.user_id'::text))::bigint AS current_setting)));


--
-- Name: item_words own_rows; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_rows ON public.item_words USING ((user_id = ( SELECT (current_setting('gearshed.user_id'::text))::bigint AS current_setting)));


--
-- Name: items own_rows; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_rows ON public.items USING ((user_id = ( SELECT (current_setting('gearshed.user_id'::text))::bigint AS current_setting)));


--
-- Name: row_changes own_rows; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_rows ON public.row_changes USING ((user_id = ( SELECT (current_setting('gearshed.user_id'::text))::bigint AS current_setting)));


--
-- Name: settings own_rows; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_rows ON public.settings USING ((user_id = ( SELECT (current_setting('gearshed.user_id'::text))::bigint AS current_setting)));


--
-- Name: setup_items own_rows; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_rows ON public.setup_items USING ((user_id = ( SELECT (current_setting('gearshed.user_id'::text))::bigint AS current_setting)));


--
-- Name: setups own_rows; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_rows ON public.setups USING ((user_id = ( SELECT (current_setting('gearshed.user_id'::text))::bigint AS current_setting)));


--
-- Name: threads own_rows; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_rows ON public.threads USING ((user_id = ( SELECT (current_setting('gearshed.user_id'::text))::bigint AS current_setting)));


--
-- Name: row_changes; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.row_changes ENABLE ROW LEVEL SECURITY;

--
-- Name: settings; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.settings ENABLE ROW LEVEL SECURITY;

--
-- Name: setup_items; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.setup_items ENABLE ROW LEVEL SECURITY;

--
-- Name: setups; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.setups ENABLE ROW LEVEL SECURITY;

--
-- Name: threads; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.threads ENABLE ROW LEVEL SECURITY;

--
-- Name: TABLE api_keys; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.api_keys TO gearshed_auth;


--
-- Name: COLUMN api_keys.last_used_at; Type: ACL; Schema: public; Owner: -
--

GRANT UPDATE(last_used_at) ON TABLE public.api_keys TO gearshed_auth;


--
-- Name: TABLE attempts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.attempts TO gearshed_auth;


--
-- Name: TABLE candidates; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.candidates TO gearshed_app;


--
-- Name: TABLE categories; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.categories TO gearshed_app;


--
-- Name: TABLE changes; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.changes TO gearshed_app;


--
-- Name: SEQUENCE changes_id_seq; Type: ACL; Schema: public; Owner: -
--

GRANT USAGE ON SEQUENCE public.changes_id_seq TO gearshed_app;


--
-- Name: TABLE images; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.images TO gearshed_app;


--
-- Name: TABLE item_words; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.item_words TO gearshed_app;


--
-- Name: TABLE items; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.items TO gearshed_app;


--
-- Name: SEQUENCE items_id_seq; Type: ACL; Schema: public; Owner: -
--

GRANT USAGE ON SEQUENCE public.items_id_seq TO gearshed_app;


--
-- Name: TABLE oauth_clients; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.oauth_clients TO gearshed_auth;


--
-- Name: TABLE oauth_codes; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.oauth_codes TO gearshed_auth;


--
-- Name: TABLE oauth_tokens; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.oauth_tokens TO gearshed_auth;


--
-- Name: TABLE row_changes; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.row_changes TO gearshed_app;


--
-- Name: TABLE sessions; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sessions TO gearshed_auth;


--
-- Name: TABLE settings; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.settings TO gearshed_app;


--
-- Name: TABLE setup_items; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.setup_items TO gearshed_app;


--
-- Name: TABLE setups; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.setups TO gearshed_app;


--
-- Name: TABLE threads; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.threads TO gearshed_app;


--
-- Name: TABLE users; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.users TO gearshed_auth;


--
-- PostgreSQL database dump complete
--


