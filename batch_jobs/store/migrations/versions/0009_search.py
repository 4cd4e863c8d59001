"""The search indexes, and the function by which applications search in them."""

from alembic import op

from batch_jobs.store.isolation import WORKER, protect

revision = "0009"
down_revision = "0008"

INDEXES = ("employees", "projects", "activities")


def upgrade() -> None:
    """Create the schema `search`."""
    op.execute("CREATE SCHEMA search")
    op.execute("GRANT USAGE ON SCHEMA search TO batch_jobs_worker, batch_jobs_reader")
    for index in INDEXES:
        op.execute(f"""
            CREATE TABLE search.{index} (
                workspace_id text COLLATE "C" NOT NULL,
                entity_id text COLLATE "C" NOT NULL,
                title text NOT NULL,
                shown jsonb NOT NULL,
                sort_key text COLLATE "C" NOT NULL,
                document tsvector NOT NULL,
                PRIMARY KEY (workspace_id, entity_id)
            )
        """)
        op.execute(f"""
            COMMENT ON TABLE search.{index} IS
            'shown: the fields beside the title. sort_key: the title, folded. document: each word behind the beginning
            of the MD5 of its workspace and the weight of its field, so that words of one workspace stand together.'
        """)
        op.execute(f"CREATE INDEX {index}_by_word ON search.{index} USING gin (document)")
        op.execute(f"CREATE INDEX {index}_by_title ON search.{index} (workspace_id, sort_key, entity_id)")
        protect(op.execute, f"search.{index}", worker="SELECT, INSERT, UPDATE, DELETE")
    _create_find()


def _create_find() -> None:
    # One word of the query, to be found in a field of one of these weights.
    op.execute(r"""
        CREATE FUNCTION search.term(workspace text, weights text, word text, suffix text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT '(' || string_agg(
                format('''%s%s%s''%s', left(md5(workspace), 6), weight,
                    replace(replace(word, '\', '\\'), '''', ''''''), suffix), ' | ') || ')'
            FROM string_to_table(weights, NULL) AS weight
        $$
    """)
    # Row-level security lets no index for words be used: its policy comes before every operator that is not leakproof,
    # as @@ is. So the function has the rights of the owner, and keeps to the one workspace in scope by itself.
    #
    # A rank after the other, each in the order of titles, until there are enough: the planner sees the words and goes
    # through the titles where a word is so frequent that the first ones will do, else through the words.
    op.execute("""
        CREATE FUNCTION search.find(index_name text, words text[], at_most integer DEFAULT 20)
        RETURNS TABLE (entity_id text, title text, shown jsonb, rank integer)
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            scope text[] := ARRAY(SELECT batch_jobs.scope());
            ranks text[] := '{A,A,AB,ABC,ABCD}';
            wanted text;
            better text := '';
            found_rows integer;
        BEGIN
            IF cardinality(scope) <> 1 THEN
                RAISE invalid_parameter_value USING MESSAGE = format(
                    'batch_jobs.workspaces names %s workspaces; expected the one to search in', cardinality(scope));
            END IF;
            IF to_regclass(format('search.%I', index_name)) IS NULL THEN
                RAISE invalid_parameter_value USING MESSAGE =
                    format('there is no index "%s"; expected employees, projects or activities', index_name);
            END IF;
            IF cardinality(words) = 0 OR array_position(words, '') > 0 OR array_position(words, NULL) > 0 THEN
                RAISE invalid_parameter_value USING MESSAGE = 'no word to search for, or an empty one among them';
            END IF;
            FOR number IN 1 .. cardinality(ranks) LOOP
                EXIT WHEN at_most <= 0;
                SELECT string_agg(
                    search.term(scope[1], ranks[number], word,
                        CASE WHEN number > 1 AND place = cardinality(words) THEN ':*' ELSE '' END), ' & ')
                INTO wanted FROM unnest(words) WITH ORDINALITY AS w (word, place);
                RETURN QUERY EXECUTE format(
                    'SELECT entity_id, title, shown, %s FROM search.%I WHERE workspace_id = %L AND document @@ %L '
                    'AND NOT document @@ %L ORDER BY sort_key, entity_id LIMIT %s',
                    number, index_name, scope[1], wanted, better, at_most);
                GET DIAGNOSTICS found_rows = ROW_COUNT;
                at_most := at_most - found_rows;
                better := wanted;
            END LOOP;
        END $$
    """)
    op.execute("""
        COMMENT ON FUNCTION search.find IS
        'The documents of the workspace in scope in which all words are found, the last one as a prefix. words: folded.
        rank 1: all are words of the title; 2: the last one begins one; 3 to 5: in fields of weight B, C, D as well.'
    """)
    for function in ("find(text, text[], integer)", "term(text, text, text, text)"):
        op.execute(f"REVOKE ALL ON FUNCTION search.{function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION search.{function} TO {WORKER}")


def downgrade() -> None:
    """Drop the indexes and their checkpoints."""
    op.execute("DROP SCHEMA search CASCADE")
    names = ", ".join(f"'{index}'" for index in INDEXES)
    op.execute(f"DELETE FROM batch_jobs.checkpoints WHERE projection IN ({names})")
    op.execute(f"DELETE FROM batch_jobs.dead_letters WHERE projection IN ({names})")
