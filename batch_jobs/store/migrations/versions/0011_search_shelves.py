"""Searches in huge workspaces: documents stand on shelves by the beginnings of their titles."""

from importlib import import_module

from alembic import op

revision = "0011"
down_revision = "0010"

INDEXES = ("employees", "projects", "activities")


def upgrade() -> None:
    """Put the documents that there are on their shelves, and search shelf by shelf."""
    _create_shelf()
    _create_terms()
    for index in INDEXES:
        op.execute(f"""
            UPDATE search.{index} SET document = document || array_to_tsvector(ARRAY(
                SELECT search.shelf(workspace_id, sort_key, letters) FROM unnest(ARRAY[1, 3]) AS letters
            ))
        """)
        op.execute(f"""
            COMMENT ON TABLE search.{index} IS
            'shown: the fields beside the title. sort_key: the title, folded. document: each word behind the beginning
            of the MD5 of its workspace and the weight of its field, so that words of one workspace stand together;
            behind a # the shelves that it stands on, see search.shelf.'
        """)
    _create_expected()
    _create_by_shelves()
    _create_find()


def _create_shelf() -> None:
    # Filled up with spaces, so that all titles of a shelf stand together, also those that are shorter.
    op.execute("""
        CREATE FUNCTION search.shelf(workspace text, sort_key text, letters integer) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT left(md5(workspace), 6) || '#' || rpad(left(sort_key, letters), letters)
        $$
    """)
    op.execute("""
        COMMENT ON FUNCTION search.shelf IS
        'The word of all documents of a workspace whose titles begin with the same letters, so many of them.'
    """)
    op.execute("REVOKE ALL ON FUNCTION search.shelf(text, text, integer) FROM PUBLIC")


def _create_terms() -> None:
    op.execute("""
        CREATE FUNCTION search.terms(workspace text, of_rank integer, words text[], at_most integer DEFAULT NULL)
        RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT coalesce(string_agg(term, ' & '), '')
            FROM unnest(words) WITH ORDINALITY AS w (word, place),
                search.term(workspace, left('ABCD', of_rank - 1), word, place = cardinality(words)) AS term
            WHERE at_most IS NULL OR place <= at_most
        $$
    """)
    op.execute("""
        COMMENT ON FUNCTION search.terms IS
        'What documents of a rank, or of a better one, match: of all words, or of the first ones.'
    """)
    op.execute("REVOKE ALL ON FUNCTION search.terms(text, integer, text[], integer) FROM PUBLIC")


def _create_expected() -> None:
    # From the statistics that ANALYZE keeps: the thousand most frequent words of a table. The others are rare, and
    # where there are no statistics all are, which makes a search slower and not wrong.
    op.execute("""
        CREATE FUNCTION search.expected(index_name text, workspace text, words text[])
        RETURNS TABLE (of_rank integer, documents float8, rarest integer)
        LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
            WITH asked AS (
                SELECT place, of_weight, left(md5(workspace), 6) || substr('ABCD', of_weight, 1)
                    || CASE WHEN place < cardinality(words) THEN word ELSE '^' || left(word, 2) END AS lexeme
                FROM unnest(words) WITH ORDINALITY AS w (word, place), generate_series(1, 4) AS of_weight
            ), frequent AS (
                SELECT f.lexeme, f.frequency * c.reltuples AS documents
                FROM pg_stats s
                JOIN pg_class c ON c.oid = to_regclass(format('search.%I', index_name)),
                    unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) AS f (lexeme, frequency)
                WHERE s.schemaname = 'search' AND s.tablename = index_name AND s.attname = 'document'
            ), by_word AS (
                SELECT r.of_rank, a.place, coalesce(sum(f.documents), 0) AS documents
                FROM generate_series(2, 5) AS r (of_rank) JOIN asked a ON a.of_weight < r.of_rank
                LEFT JOIN frequent f USING (lexeme) GROUP BY 1, 2
            )
            SELECT DISTINCT ON (w.of_rank) w.of_rank, w.documents, w.place::integer FROM by_word w
            ORDER BY w.of_rank, w.documents
        $$
    """)
    op.execute("""
        COMMENT ON FUNCTION search.expected IS
        'For each rank how many documents hold the rarest of the words, in a field of that rank or a better one, and
        which word that is. Rare words count as none, the last one, a beginning, by its first two letters.'
    """)
    op.execute("REVOKE ALL ON FUNCTION search.expected(text, text, text[]) FROM PUBLIC")


def _create_by_shelves() -> None:
    # Of a word that many documents hold, and that is not among the first titles (of a million people the first
    # thousands are called Aage, and most family names do not come among the first hundreds), the index would give tens
    # of thousands of documents to sort. So it is asked for one shelf after the other in the order of titles, and for
    # the rarest of the words only.
    op.execute(r"""
        CREATE FUNCTION search.by_shelves(
            index_name text, workspace text, words text[], rarest integer, of_rank integer, at_most integer
        ) RETURNS TABLE (entity_id text, title text, shown jsonb, rank integer)
        LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            letters integer := 3;
            wanted integer := at_most;
            from_table text := format(' FROM search.%I WHERE workspace_id = %L ', index_name, workspace);
            first_words text := array_to_string(words, ' ');
            -- The rarest word, and of all words what tells the documents of this very rank.
            condition text := search.term(
                workspace, left('ABCD', of_rank - 1), words[rarest], rarest = cardinality(words));
            matches text := format(
                'ts_match_vq(document, %L) AND NOT (sort_key >= %L AND sort_key < %L)',
                search.terms(workspace, of_rank, words), first_words, first_words || chr(1114111))
                -- Rank 1 is no match of words, and an empty one is a notice to the caller.
                || CASE WHEN of_rank > 2 THEN format(
                    ' AND NOT ts_match_vq(document, %L)', search.terms(workspace, of_rank - 1, words)) ELSE '' END;
            low text := '';
            first_title text;
            number_found integer;
        BEGIN
            LOOP
                EXECUTE 'SELECT sort_key' || from_table || format('AND sort_key >= %L ORDER BY sort_key LIMIT 1', low)
                    INTO first_title;
                EXIT WHEN first_title IS NULL;
                -- On a shelf it takes longer to look for a frequent word in the index than in the documents.
                RETURN QUERY EXECUTE format('SELECT entity_id, title, shown, %s FROM (SELECT *', of_rank) || from_table
                    || format('AND document @@ %L OFFSET 0) t WHERE sort_key >= %L AND ',
                        CASE WHEN letters = 0 THEN search.terms(workspace, of_rank, words)
                            ELSE condition || ' & ' || quote_literal(search.shelf(workspace, first_title, letters)) END,
                        low)
                    || matches || format(' ORDER BY sort_key, entity_id LIMIT %s', wanted);
                GET DIAGNOSTICS number_found = ROW_COUNT;
                wanted := wanted - number_found;
                EXIT WHEN wanted <= 0 OR letters = 0;
                low := rpad(left(first_title, letters), letters) || chr(1114111);
                -- Where little is found the next shelf is a wider one, the last one all that is left.
                letters := CASE WHEN number_found * 4 >= wanted THEN letters WHEN letters = 3 THEN 1 ELSE 0 END;
            END LOOP;
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION search.by_shelves(text, text, text[], integer, integer, integer) FROM PUBLIC")


def _create_find() -> None:
    # Rank 1 is a range of the titles. The first titles are looked through for the others: where they hold enough, all
    # is found. Of what is rare the index for words gives all documents, and of the rest those of one shelf after the
    # other. The planner can not know which way is the shorter, so each statement leaves it one, by a match that is no
    # operator (ts_match_vq) and by OFFSET 0. For the rights of the owner see 0009.
    op.execute("""
        CREATE OR REPLACE FUNCTION search.find(index_name text, words text[], at_most integer DEFAULT 20)
        RETURNS TABLE (entity_id text, title text, shown jsonb, rank integer)
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        SET plan_cache_mode = force_generic_plan AS $$
        DECLARE
            look CONSTANT integer := 250;
            few CONSTANT integer := 1500;
            scope text[] := ARRAY(SELECT batch_jobs.scope());
            first_words text := array_to_string(words, ' ');
            -- With two whole words the index gives few enough; the last one may begin thousands of others.
            asked CONSTANT integer := greatest(2, cardinality(words) - 1);
            from_table text;
            ranked text;
            ranks_seen integer[];
            expected float8[];
            rarest_words integer[];
            rank_number integer := 2;
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
            from_table := format(' FROM search.%I WHERE workspace_id = %L ', index_name, scope[1]);

            RETURN QUERY EXECUTE 'SELECT entity_id, title, shown, 1' || from_table || format(
                'AND sort_key >= %L AND sort_key < %L ORDER BY sort_key, entity_id LIMIT %s',
                first_words, first_words || chr(1114111), wanted);
            GET DIAGNOSTICS number_found = ROW_COUNT;
            wanted := wanted - number_found;
            IF wanted <= 0 THEN
                RETURN;
            END IF;

            ranked := format(
                'SELECT *, CASE WHEN NOT ts_match_vq(document, %L) OR sort_key >= %L AND sort_key < %L THEN 0
                    WHEN ts_match_vq(document, %L) THEN 2 WHEN ts_match_vq(document, %L) THEN 3
                    WHEN ts_match_vq(document, %L) THEN 4 ELSE 5 END AS rank',
                search.terms(scope[1], 5, words), first_words, first_words || chr(1114111),
                search.terms(scope[1], 2, words), search.terms(scope[1], 3, words), search.terms(scope[1], 4, words)
            ) || from_table;
            EXECUTE 'SELECT array_agg(rank) FROM (' || ranked || format('ORDER BY sort_key, entity_id LIMIT %s', look)
                || ') first_titles WHERE rank > 0' INTO ranks_seen;
            SELECT array_agg(e.documents ORDER BY of_rank), array_agg(rarest ORDER BY of_rank)
            INTO expected, rarest_words FROM search.expected(index_name, scope[1], words) AS e;
            WHILE rank_number <= 5 LOOP
                -- Ranks that are rare altogether are found at once.
                SELECT max(r) INTO last_rank FROM generate_series(rank_number, 5) AS r WHERE expected[r - 1] <= few;
                IF last_rank > rank_number
                    AND (SELECT count(*) FROM unnest(ranks_seen) AS s (seen) WHERE seen >= rank_number) >= wanted
                THEN
                    last_rank := rank_number;
                END IF;
                IF cardinality(array_positions(ranks_seen, rank_number)) >= wanted THEN
                    last_rank := rank_number;
                    RETURN QUERY EXECUTE 'SELECT entity_id, title, shown, rank FROM (' || ranked || format(
                        'ORDER BY sort_key, entity_id LIMIT %s) t WHERE rank = %s
                        ORDER BY sort_key, entity_id LIMIT %s', look, rank_number, wanted);
                ELSIF last_rank IS NULL THEN
                    last_rank := rank_number;
                    RETURN QUERY SELECT * FROM search.by_shelves(
                        index_name, scope[1], words, rarest_words[rank_number - 1], rank_number, wanted);
                ELSE
                    RETURN QUERY EXECUTE 'SELECT entity_id, title, shown, rank FROM (' || ranked || format(
                        'AND document @@ %L OFFSET 0) t WHERE rank BETWEEN %s AND %s
                        ORDER BY rank, sort_key, entity_id LIMIT %s',
                        search.terms(scope[1], last_rank, words, asked), rank_number, last_rank, wanted);
                END IF;
                GET DIAGNOSTICS number_found = ROW_COUNT;
                wanted := wanted - number_found;
                EXIT WHEN wanted <= 0;
                rank_number := last_rank + 1;
            END LOOP;
        END $$
    """)


def downgrade() -> None:
    """Search as before, which does not look at the shelves that documents stand on."""
    for function in (
        "find(text, text[], integer)",
        "term(text, text, text, boolean)",
        "by_shelves(text, text, text[], integer, integer, integer)",
        "expected(text, text, text[])",
        "terms(text, integer, text[], integer)",
        "shelf(text, text, integer)",
    ):
        op.execute(f"DROP FUNCTION search.{function}")
    import_module("batch_jobs.store.migrations.versions.0009_search")._create_find()
