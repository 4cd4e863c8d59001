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
    # One word of the query, to be found in a field of one of these weights. Beginnings of one or two letters are words
    # of their own, behind a ^: so many words begin with them that going through all of those takes long.
    op.execute(r"""
        CREATE FUNCTION search.term(workspace text, weights text, word text, is_prefix boolean) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT '(' || string_agg(
                format('''%s%s%s%s''%s', left(md5(workspace), 6), weight,
                    CASE WHEN is_prefix AND length(word) < 3 THEN '^' END,
                    replace(replace(word, '\', '\\'), '''', ''''''),
                    CASE WHEN is_prefix AND length(word) > 2 THEN ':*' END), ' | ') || ')'
            FROM string_to_table(weights, NULL) AS weight
        $$
    """)
    # Row-level security lets no index for words be used: its policy comes before every operator that is not leakproof,
    # as @@ is. So the function has the rights of the owner, and keeps to the one workspace in scope by itself.
    #
    # Rank 1 is a range of the titles. The first titles are looked through for the others: where they hold enough, all
    # is found. Else a word is rare, and the index for words finds it: of a frequent one it would give tens of thousands
    # of documents to sort. The planner can not know which way is the shorter, so each statement leaves it one, by a
    # match that is no operator (ts_match_vq) and by OFFSET 0.
    op.execute("""
        CREATE FUNCTION search.find(index_name text, words text[], at_most integer DEFAULT 20)
        RETURNS TABLE (entity_id text, title text, shown jsonb, rank integer)
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            look CONSTANT integer := 500;
            scope text[] := ARRAY(SELECT batch_jobs.scope());
            first_words text := array_to_string(words, ' ');
            query text;
            condition text;
            queries text[];
            conditions text[];
            ranked text;
            ranks_seen integer[];
            last_rank integer;
            wanted integer := coalesce(at_most, 20);
            number_found integer;
        BEGIN
            IF cardinality(scope) <> 1 THEN
                RAISE invalid_parameter_value USING MESSAGE = format(
                    'batch_jobs.workspaces names %s workspaces; expected the one to search in', cardinality(scope));
            END IF;
            IF to_regclass(format('search.%I', index_name)) IS NULL THEN
                RAISE invalid_parameter_value USING MESSAGE =
                    format('there is no index "%s"; expected employees, projects or activities', index_name);
            END IF;
            IF coalesce(cardinality(words), 0) = 0 OR '' = ANY (words) OR array_position(words, NULL) > 0 THEN
                RAISE invalid_parameter_value USING MESSAGE = 'no word to search for, or an empty one among them';
            END IF;

            RETURN QUERY EXECUTE format(
                'SELECT entity_id, title, shown, 1 FROM search.%I WHERE workspace_id = %L
                AND sort_key >= %L AND sort_key < %L ORDER BY sort_key, entity_id LIMIT %s',
                index_name, scope[1], first_words, first_words || chr(1114111), wanted);
            GET DIAGNOSTICS number_found = ROW_COUNT;
            wanted := wanted - number_found;
            IF wanted <= 0 THEN
                RETURN;
            END IF;

            FOR rank_number IN 2 .. 5 LOOP
                -- With two whole words the index gives few enough; the last one may begin thousands of others.
                SELECT string_agg(term, ' & '),
                    string_agg(term, ' & ') FILTER (WHERE place <= greatest(2, last_place - 1))
                INTO query, condition
                FROM unnest(words) WITH ORDINALITY AS w (word, place), cardinality(words) AS last_place,
                    search.term(scope[1], left('ABCD', rank_number - 1), word, place = last_place) AS term;
                queries[rank_number] := query;
                conditions[rank_number] := condition;
            END LOOP;
            ranked := format(
                'SELECT *, CASE WHEN NOT ts_match_vq(document, %L) OR sort_key >= %L AND sort_key < %L THEN 0
                    WHEN ts_match_vq(document, %L) THEN 2 WHEN ts_match_vq(document, %L) THEN 3
                    WHEN ts_match_vq(document, %L) THEN 4 ELSE 5 END AS rank
                FROM search.%I WHERE workspace_id = %L ',
                queries[5], first_words, first_words || chr(1114111), queries[2], queries[3], queries[4],
                index_name, scope[1]);
            EXECUTE 'SELECT array_agg(rank) FROM (' || ranked || format('ORDER BY sort_key, entity_id LIMIT %s', look)
                || ') first_titles WHERE rank > 0' INTO ranks_seen;
            FOR rank_number IN 2 .. 5 LOOP
                IF cardinality(array_positions(ranks_seen, rank_number)) >= wanted THEN
                    last_rank := rank_number;
                    RETURN QUERY EXECUTE 'SELECT entity_id, title, shown, rank FROM (' || ranked || format(
                        'ORDER BY sort_key, entity_id LIMIT %s) t WHERE rank = %s
                        ORDER BY sort_key, entity_id LIMIT %s', look, rank_number, wanted);
                ELSE
                    -- Ranks that are rare altogether are found at once.
                    last_rank := CASE WHEN (
                        SELECT count(*) FROM unnest(ranks_seen) AS s (other) WHERE other >= rank_number
                    ) < wanted THEN 5 ELSE rank_number END;
                    RETURN QUERY EXECUTE 'SELECT entity_id, title, shown, rank FROM (' || ranked || format(
                        'AND document @@ %L OFFSET 0) t WHERE rank BETWEEN %s AND %s
                        ORDER BY rank, sort_key, entity_id LIMIT %s',
                        conditions[last_rank], rank_number, last_rank, wanted);
                END IF;
                GET DIAGNOSTICS number_found = ROW_COUNT;
                wanted := wanted - number_found;
                EXIT WHEN wanted <= 0 OR last_rank = 5;
            END LOOP;
        END $$
    """)
    op.execute("""
        COMMENT ON FUNCTION search.find IS
        'The documents of the workspace in scope in which all words are found, the last one as a prefix. words: folded.
        rank 1: the title begins with them; 2: it holds them; 3 to 5: found in fields of weight B, C or D as well.'
    """)
    for function in ("find(text, text[], integer)", "term(text, text, text, boolean)"):
        op.execute(f"REVOKE ALL ON FUNCTION search.{function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION search.{function} TO {WORKER}")


def downgrade() -> None:
    """Drop the indexes and their checkpoints."""
    op.execute("DROP SCHEMA search CASCADE")
    names = ", ".join(f"'{index}'" for index in INDEXES)
    op.execute(f"DELETE FROM batch_jobs.checkpoints WHERE projection IN ({names})")
    op.execute(f"DELETE FROM batch_jobs.dead_letters WHERE projection IN ({names})")
