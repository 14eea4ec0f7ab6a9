-- Every function, trigger and policy of the schema, each in its current text and nowhere else.
--
-- Revisions run sections of this file by name, through db/revision.py. To change a function:
--
--   1. Edit its section here. Functions and triggers are CREATE OR REPLACE.
--   2. Write a revision that calls define("section") in upgrade(), and executes the previous text, which it
--      carries, in downgrade().
--
-- Revision 0009 runs its sections in their newest text too. So a new database never has an older text, and a
-- database that was made before gets the new text from the later revision. If that revision is missing,
-- tests/test_upgrade.py fails: it upgrades the database of an earlier release and compares the result with
-- this file. Add a section to `define` in the revision that needs it, not in an earlier one.
--
-- PostgreSQL stores the body of a function with its indentation and comments, and the tests compare it: a body
-- that is only reformatted needs a revision too.
--
-- A section starts at a line such as "-- [words_of]". {table} stands for the name of a table, {schema} for that of
-- the schema in which a revision creates the tables.
--
-- Every function in PL/pgSQL sets its search_path. A session can create temporary tables, and unless pg_temp is in
-- the path, PostgreSQL searches it first: a temporary table with the name of ours, and with a trigger, would run that
-- trigger with the rights of the function. Those are the owner's in a SECURITY DEFINER function and, since
-- PostgreSQL 18, in each trigger of a row that a foreign key deletes or changes.


-- [words_of]
-- Text as searches compare it: small letters without marks, and the letters that Unicode does not decompose as people
-- write them without a keyboard for them. Stored words and queries both go through it. Lower case comes from "C" where
-- all is ASCII, because a Turkish locale has a lower case of I of its own.
-- An expression index on it would not be used: the function is not leakproof.
CREATE OR REPLACE FUNCTION folded(content text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN octet_length(content) = length(content) THEN lower(content COLLATE "C")
    ELSE replace(replace(replace(replace(translate(
        lower(regexp_replace(
            normalize(content, NFKD),
            '[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f'
            '\u0670\u06d6-\u06dc\u1ab0-\u1ace\u1dc0-\u1dff\u20d0-\u20f0\u3099\u309a\ufe20-\ufe2f]+',
            '', 'g'
        )),
        'ØøŁłĐđıÆŒÞẞ‐', 'oollddiæœþß-'
    ), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')
END;

-- The words that a search can find: those of the name and notes of an item, up to 2,000. Callers pass the name
-- first, so all of its words are among them, and then the first ones of the notes. Without a limit, notes of
-- distinct words would take 28 times their size.
-- Words with hyphens between them are also one word: x-mid is x, mid and xmid.
-- No query has a longer word, and an index has no room for a word of any length. Some locales classify the
-- signs of ASCII as symbols, not as punctuation, so the pattern names them.
CREATE OR REPLACE FUNCTION words_of(content text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT left(word, 200)
    FROM (
        SELECT word, place
        FROM regexp_split_to_table(folded(content), '[[:punct:][:space:][:cntrl:]$+<=>^`|~]+')
            WITH ORDINALITY AS written (word, place)
        UNION ALL
        SELECT replace(found[1], '-', ''), place
        FROM regexp_matches(
            folded(content),
            '[^[:punct:][:space:][:cntrl:]$+<=>^`|~]+(?:-[^[:punct:][:space:][:cntrl:]$+<=>^`|~]+)+', 'g'
        ) WITH ORDINALITY AS joined (found, place)
    ) AS words
    WHERE word <> ''
    GROUP BY left(word, 200)
    ORDER BY min(place), left(word, 200)
    LIMIT 2000;
END;


-- [add_words]
-- Words are written for all items of one statement: an import writes thousands.
CREATE OR REPLACE FUNCTION add_words() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            INSERT INTO item_words (user_id, word, item_id)
            SELECT user_id, word, id
            FROM written, words_of(concat_ws(' ', name, notes)) AS word;
            RETURN NULL;
        END $$;

CREATE OR REPLACE TRIGGER add_words AFTER INSERT ON items
REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION add_words();


-- [change_words]
-- An update that changes neither the name nor the notes costs nothing. Words that stay are not rewritten.
-- OFFSET 0 is explained at remove_words.
CREATE OR REPLACE FUNCTION change_words() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            DELETE FROM item_words
            WHERE ctid = ANY (ARRAY(
                SELECT found.place
                FROM (
                    SELECT words_of(concat_ws(' ', OLD.name, OLD.notes)) AS word
                    EXCEPT
                    SELECT words_of(concat_ws(' ', NEW.name, NEW.notes))
                ) AS lost, LATERAL (
                    SELECT ctid AS place
                    FROM item_words
                    WHERE user_id = NEW.user_id AND word = lost.word AND item_id = NEW.id
                    OFFSET 0
                ) AS found
            ));
            INSERT INTO item_words (user_id, item_id, word)
            SELECT NEW.user_id, NEW.id, words_of(concat_ws(' ', NEW.name, NEW.notes))
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END $$;

CREATE OR REPLACE TRIGGER change_words AFTER UPDATE OF name, notes ON items
FOR EACH ROW WHEN ((OLD.name, OLD.notes) IS DISTINCT FROM (NEW.name, NEW.notes))
EXECUTE FUNCTION change_words();


-- [remove_words]
-- In place of a foreign key, whose checks would take a fifth of the time in which a long list is stored.
-- OFFSET 0 makes the lookup of each word a query of its own, by the whole key. The plan of a join depends on
-- statistics, and without them each deleted item reads all words of the user.
CREATE OR REPLACE FUNCTION remove_words() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            DELETE FROM item_words
            WHERE ctid = ANY (ARRAY(
                SELECT found.place
                FROM gone, words_of(concat_ws(' ', name, notes)) AS lost, LATERAL (
                    SELECT ctid AS place
                    FROM item_words
                    WHERE user_id = gone.user_id AND word = lost AND item_id = gone.id
                    OFFSET 0
                ) AS found
            ));
            RETURN NULL;
        END $$;

CREATE OR REPLACE TRIGGER remove_words AFTER DELETE ON items
REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION remove_words();


-- [index_category]
-- The words of a category's name, by which a search finds its items. They are in a table of their own, so that
-- renaming a category does not write the words of all of its items.
CREATE OR REPLACE FUNCTION index_category() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            DELETE FROM category_words WHERE user_id = NEW.user_id AND category_id = NEW.id;
            INSERT INTO category_words (user_id, word, category_id)
            SELECT NEW.user_id, word, NEW.id
            FROM words_of(NEW.name) AS word;
            RETURN NULL;
        END $$;

CREATE OR REPLACE TRIGGER index_category AFTER INSERT OR UPDATE OF name ON categories
FOR EACH ROW EXECUTE FUNCTION index_category();


-- [sum_items]
-- Each statement adds rows with what it changed, and the sums of a category are those of its rows. So writes never
-- wait for each other, as they would if each category had one row. Now and then, a statement replaces the rows of its
-- user by one for each category. It skips the rows that another transaction is replacing.
CREATE OR REPLACE FUNCTION sum_items() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO item_sums
                    (
                        user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced,
                        margin_grams
                    )
                SELECT
                    user_id, category_id, count(*), sum(quantity),
                    coalesce(sum(weight_grams::numeric * quantity), 0),
                    coalesce(sum(price_cents::numeric * quantity), 0),
                    count(*) - count(weight_grams), count(*) - count(price_cents),
                    coalesce(sum(weight_margin_grams::numeric * quantity), 0)
                FROM written
                GROUP BY user_id, category_id;
            ELSIF TG_OP = 'DELETE' THEN
                INSERT INTO item_sums
                    (
                        user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced,
                        margin_grams
                    )
                SELECT
                    user_id, category_id, -count(*), -sum(quantity),
                    -coalesce(sum(weight_grams::numeric * quantity), 0),
                    -coalesce(sum(price_cents::numeric * quantity), 0),
                    count(weight_grams) - count(*), count(price_cents) - count(*),
                    -coalesce(sum(weight_margin_grams::numeric * quantity), 0)
                FROM gone
                GROUP BY user_id, category_id;
            ELSE
                INSERT INTO item_sums
                    (
                        user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced,
                        margin_grams
                    )
                SELECT
                    user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced,
                    margin_grams
                FROM (
                    SELECT
                        user_id, category_id, sum(sign) AS items, sum(sign * quantity) AS pieces,
                        coalesce(sum(sign * weight_grams::numeric * quantity), 0) AS weight_grams,
                        coalesce(sum(sign * price_cents::numeric * quantity), 0) AS price_cents,
                        sum(CASE WHEN weight_grams IS NULL THEN sign ELSE 0 END) AS unweighed,
                        sum(CASE WHEN price_cents IS NULL THEN sign ELSE 0 END) AS unpriced,
                        coalesce(sum(sign * weight_margin_grams::numeric * quantity), 0) AS margin_grams
                    FROM (
                        SELECT
                            1 AS sign, user_id, category_id, quantity, weight_grams, price_cents,
                            weight_margin_grams
                        FROM written
                        UNION ALL
                        SELECT
                            -1, user_id, category_id, quantity, weight_grams, price_cents, weight_margin_grams
                        FROM gone
                    ) AS states
                    GROUP BY user_id, category_id
                ) AS differences
                WHERE (items, pieces, weight_grams, price_cents, unweighed, unpriced, margin_grams)
                    <> (0, 0, 0, 0, 0, 0, 0);
            END IF;

            IF random() < 0.02 THEN
                WITH replaced AS (
                    DELETE FROM item_sums
                    WHERE ctid = ANY (ARRAY(
                        SELECT ctid
                        FROM item_sums
                        WHERE user_id = nullif(current_setting('gearshed.user_id', true), '')::bigint
                        FOR UPDATE SKIP LOCKED
                    ))
                    RETURNING
                        user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced,
                        margin_grams
                )
                INSERT INTO item_sums
                    (
                        user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced,
                        margin_grams
                    )
                SELECT
                    user_id, category_id, sum(items), sum(pieces), trim_scale(sum(weight_grams)),
                    sum(price_cents), sum(unweighed), sum(unpriced), trim_scale(sum(margin_grams))
                FROM replaced
                GROUP BY user_id, category_id;
            END IF;
            RETURN NULL;
        END $$;

CREATE OR REPLACE TRIGGER sum_created_items AFTER INSERT ON items
REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION sum_items();

CREATE OR REPLACE TRIGGER sum_changed_items AFTER UPDATE ON items
REFERENCING OLD TABLE AS gone NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION sum_items();

CREATE OR REPLACE TRIGGER sum_deleted_items AFTER DELETE ON items
REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION sum_items();


-- [forget_sums]
-- In place of a foreign key: the items of a deleted user are deleted after the user, and sum_items adds rows for them.
-- So this runs at the commit. A constraint trigger cannot be replaced.
CREATE OR REPLACE FUNCTION forget_sums() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            DELETE FROM item_sums WHERE user_id = OLD.id;
            RETURN NULL;
        END $$;

DROP TRIGGER IF EXISTS forget_sums ON users;
CREATE CONSTRAINT TRIGGER forget_sums AFTER DELETE ON users
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION forget_sums();


-- [log_created_rows]
-- The rows that one statement creates are logged by one statement: an import creates thousands.
-- `gearshed.change_id` is the number that the change of this transaction will have, or empty if it is not logged.
-- `sort_name` is generated from the name, and a generated column cannot be written back.
CREATE OR REPLACE FUNCTION log_created_rows() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
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


-- [log_row_change]
-- Updates and deletes are logged row by row, so that the rows to which they cascade are logged after them.
-- A row that an update leaves as it was is not part of the change. Of an update, only the columns that differ are
-- logged, and those by which the log finds and names rows.
CREATE OR REPLACE FUNCTION log_row_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        DECLARE
            change text := current_setting('gearshed.change_id', true);
            old_row jsonb;
            new_row jsonb;
            same text[] := '{sort_name}';
        BEGIN
            IF change <> '' AND NEW IS DISTINCT FROM OLD THEN
                old_row := to_jsonb(OLD);
                new_row := to_jsonb(NEW);
                IF TG_OP = 'UPDATE' THEN
                    same := same || ARRAY(
                        SELECT key
                        FROM jsonb_each(old_row)
                        WHERE value = new_row -> key
                            AND key <> ALL ('{name,setup_id,item_id,thread_id,resolved_item_id}')
                    );
                END IF;
                INSERT INTO row_changes (user_id, change_id, table_name, row_id, before, after)
                VALUES (
                    OLD.user_id, change::bigint, TG_TABLE_NAME, OLD.id, old_row - same, new_row - same
                );
            END IF;
            RETURN NULL;
        END $$;


-- [keep_time]
-- An update that changes nothing else does not change `updated_at` either: it is not a change, so it is not logged.
-- Only an undo may: it also restores times, and `gearshed.undoes` lists what it undoes.
CREATE OR REPLACE FUNCTION keep_time() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            -- A generated column is not there yet.
            IF to_jsonb(NEW) - '{updated_at,sort_name}'::text[]
                = to_jsonb(OLD) - '{updated_at,sort_name}'::text[]
                AND coalesce(current_setting('gearshed.undoes', true), '') = ''
            THEN
                NEW.updated_at := OLD.updated_at;
            END IF;
            RETURN NEW;
        END $$;


-- [note_last_write]
-- Where in PostgreSQL's log (WAL) a user's last change is, so that a standby knows whether it has the change.
-- SECURITY DEFINER, because the server's role may neither read the table nor see where other users wrote.
-- The lock on the row is held until the commit: a user's positions grow in the order of their commits.
CREATE OR REPLACE FUNCTION note_last_write() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            INSERT INTO last_writes (user_id, lsn)
            VALUES (NEW.user_id, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'))
            ON CONFLICT (user_id) DO UPDATE
            SET lsn = pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0');
            RETURN NULL;
        END $$;

CREATE OR REPLACE TRIGGER note_last_write AFTER INSERT ON changes
FOR EACH ROW EXECUTE FUNCTION note_last_write();


-- [tell_change]
-- Notifies every server of a change: its user, which resources it touched, and whether a list of them changed.
-- It sends ids only, because any role may LISTEN. A change of units or of categories shows in every resource, and
-- a change of many rows has too many ids for a notification (8,000 bytes). Then it names no resource, which
-- stands for all of the user's.
CREATE OR REPLACE FUNCTION tell_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
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

CREATE OR REPLACE TRIGGER tell_change AFTER INSERT ON changes
FOR EACH ROW EXECUTE FUNCTION tell_change();


-- [notify_access]
-- Notifies every server that a key or token was changed or deleted, so that it forgets the key and ends streams that
-- are no longer allowed. Triggers also hear of rows that were deleted with their user, or by hand. They name the
-- columns that matter, because the time of the last use is written often.
CREATE OR REPLACE FUNCTION notify_access() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            PERFORM pg_notify('gearshed_changes', jsonb_build_object(
                'user_id', OLD.user_id, 'touched', '[]'::jsonb, 'listed', false, 'access', true
            )::text);
            RETURN NULL;
        END $$;

CREATE OR REPLACE TRIGGER notify_access
AFTER DELETE OR UPDATE OF user_id, key_hash, name, scopes, expires_at ON api_keys
FOR EACH ROW EXECUTE FUNCTION notify_access();

CREATE OR REPLACE TRIGGER notify_access
AFTER DELETE OR UPDATE OF user_id, access_token_hash, scopes, resource, expires_at ON oauth_tokens
FOR EACH ROW EXECUTE FUNCTION notify_access();


-- [replace_password]
-- A person's own password, for the server's role, which cannot update users: one user at a time, and only for the hash
-- that is stored. Whether the person knows the password is for the caller to check.
CREATE OR REPLACE FUNCTION replace_password(person bigint, old_hash text, new_hash text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            UPDATE users SET password_hash = new_hash WHERE id = person AND password_hash = old_hash;
            RETURN FOUND;
        END $$;

REVOKE EXECUTE ON FUNCTION replace_password FROM PUBLIC;
GRANT EXECUTE ON FUNCTION replace_password TO gearshed_auth;


-- [shared_rows]
-- What a page of a share reads, as the role gearshed_share: one share, its setup, and the columns of the setup's lines
-- that the page shows. `gearshed.share` is the hash of the link's token, in hexadecimal digits. Before the share is
-- found, its user is not known, so one policy shows it in addition to the user's own rows. All others are restrictive:
-- they apply in addition to that of own rows.
GRANT SELECT (id, user_id, setup_id, prices, expires_at) ON shares TO gearshed_share;
GRANT SELECT (id, name) ON setups TO gearshed_share;
GRANT SELECT (id, setup_id, item_id, quantity, classification, worn_quantity) ON setup_items TO gearshed_share;
GRANT SELECT (id, name, category_id, weight_grams, weight_margin_grams, price_cents) ON items TO gearshed_share;
GRANT SELECT (id, name) ON categories TO gearshed_share;
GRANT SELECT (key, value) ON settings TO gearshed_share;

CREATE POLICY any_user ON shares FOR SELECT TO gearshed_share USING (true);
CREATE POLICY shared_rows ON shares AS RESTRICTIVE FOR SELECT TO gearshed_share
USING (token_hash = (SELECT decode(current_setting('gearshed.share'), 'hex')) AND expires_at > now());
CREATE POLICY shared_rows ON setups AS RESTRICTIVE FOR SELECT TO gearshed_share
USING (id = (SELECT setup_id FROM shares));
CREATE POLICY shared_rows ON setup_items AS RESTRICTIVE FOR SELECT TO gearshed_share
USING (setup_id = (SELECT setup_id FROM shares));
CREATE POLICY shared_rows ON items AS RESTRICTIVE FOR SELECT TO gearshed_share
USING (id IN (SELECT item_id FROM setup_items));
CREATE POLICY shared_rows ON categories AS RESTRICTIVE FOR SELECT TO gearshed_share
USING (id IN (SELECT items.category_id FROM setup_items JOIN items ON items.id = setup_items.item_id));
CREATE POLICY shared_rows ON settings AS RESTRICTIVE FOR SELECT TO gearshed_share
USING (key IN ('weight_unit', 'currency'));


-- [protected table]
-- For each table with rows of one user: the server's role reads and writes them, one user's rows at a time.
-- FORCE applies it to the owner of the table too. In the subquery the setting is read once for a statement, not
-- once for each row.
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO gearshed_app;
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON {table}
USING (user_id = (SELECT current_setting('gearshed.user_id')::bigint));


-- [collection table]
-- For each table of a collection: what is written to it is logged.
CREATE OR REPLACE TRIGGER log_created_rows AFTER INSERT ON {table}
REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION log_created_rows();

CREATE OR REPLACE TRIGGER log_row_change AFTER UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION log_row_change();


-- [stamped table]
-- For each table of a collection that has `updated_at`.
CREATE OR REPLACE TRIGGER keep_time BEFORE UPDATE ON {table}
FOR EACH ROW EXECUTE FUNCTION keep_time();
