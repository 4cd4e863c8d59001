"""Searches in huge workspaces go through fewer documents and shorter lists of the index for words."""

from importlib import import_module

from alembic import op

revision = "0015"
down_revision = "0014"

_SHELVES = "batch_jobs.store.migrations.versions.0011_search_shelves"
_BY_SHELVES = "search.by_shelves(text, text, text[], float8, float8, integer[], integer, integer)"


def upgrade() -> None:
    """Read few documents before going to the shelves, ask the index for the rarest words, on a small shelf for two
    letters of a beginning, and leave out the first titles where they can not hold enough.
    """
    op.execute("DROP FUNCTION search.by_shelves(text, text, text[], integer, integer, integer)")
    op.execute("DROP FUNCTION search.terms(text, integer, text[], integer)")
    op.execute("DROP FUNCTION search.expected(text, text, text[])")
    _create_terms()
    _create_expected()
    _create_by_shelves()
    _create_find()


def _create_terms() -> None:
    # A beginning of three letters or more is as many lists of the index as there are such words, one of two letters is
    # a single list.
    op.execute("""
        CREATE FUNCTION search.terms(
            workspace text, of_rank integer, words text[], sought integer[] DEFAULT NULL,
            shortened boolean DEFAULT false
        ) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT string_agg(search.term(
                workspace, left('ABCD', of_rank - 1),
                CASE WHEN shortened AND place = cardinality(words) THEN left(words[place], 2) ELSE words[place] END,
                place = cardinality(words)), ' & ')
            FROM unnest(coalesce(sought, ARRAY(SELECT generate_series(1, cardinality(words))))) AS place
            WHERE place > 0
        $$
    """)
    op.execute("""
        COMMENT ON FUNCTION search.terms IS
        'What documents of a rank, or of a better one, match: of all words, or of those at some places; where it is
        shortened, some other documents match the last one too.'
    """)
    op.execute("REVOKE ALL ON FUNCTION search.terms(text, integer, text[], integer[], boolean) FROM PUBLIC")


def _create_expected() -> None:
    # From the statistics of PostgreSQL, see 0011.
    op.execute("""
        CREATE FUNCTION search.expected(index_name text, workspace text, words text[])
        RETURNS TABLE (of_rank integer, documents float8, fewest float8, begun float8, rarest integer[])
        LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
            WITH asked AS (
                SELECT place, of_weight, left(md5(workspace), 6) || substr('ABCD', of_weight, 1)
                    || CASE WHEN place < cardinality(words) THEN word ELSE '^' || left(word, 2) END AS lexeme
                FROM unnest(words) WITH ORDINALITY AS w (word, place), generate_series(1, 4) AS of_weight
            ), known AS (
                SELECT greatest(reltuples, 1)::float8 AS documents FROM pg_class
                WHERE oid = to_regclass(format('search.%I', index_name))
            ), frequent AS (
                SELECT f.lexeme, f.frequency * k.documents AS documents
                FROM known k, pg_stats s,
                    unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) AS f (lexeme, frequency)
                WHERE s.schemaname = 'search' AND s.tablename = index_name AND s.attname = 'document'
            ), of_words AS (
                SELECT r.of_rank, a.place::integer, coalesce(sum(f.documents), 0) AS documents
                FROM generate_series(2, 5) AS r (of_rank) JOIN asked a ON a.of_weight < r.of_rank
                LEFT JOIN frequent f USING (lexeme) GROUP BY 1, 2
            ), compared AS (
                SELECT *, min(w.documents) OVER (PARTITION BY w.of_rank) AS fewest,
                    CASE WHEN w.place = cardinality(words) THEN 100000 ELSE 20000 END AS short_enough
                FROM of_words w
            )
            SELECT c.of_rank,
                -- Below that bound there is no such number.
                CASE WHEN c.fewest > 0 THEN k.documents * exp(greatest(
                    sum(least(ln(greatest(c.documents, 1) / k.documents), 0)), -700)) ELSE 0 END,
                c.fewest,
                max(c.documents) FILTER (WHERE c.place = cardinality(words)),
                array_agg(
                    CASE WHEN c.documents <= greatest(2 * c.fewest, c.short_enough) THEN c.place END
                    ORDER BY c.documents, c.place)
            FROM compared c, known k GROUP BY c.of_rank, c.fewest, k.documents
        $$
    """)
    op.execute("""
        COMMENT ON FUNCTION search.expected IS
        'For each rank, in how many documents fields of that rank or better ones hold the words: all of them, as far as
        words, and workspaces, have nothing to do with each other; the rarest; and the first two letters of the last
        one, by which it is counted. Then which word is the rarest, before those that are hardly more frequent or have a
        short list in the index, and NULL for the others. Words that the statistics do not know count as none, and a
        document twice that holds a word in two fields.'
    """)
    op.execute("REVOKE ALL ON FUNCTION search.expected(text, text, text[]) FROM PUBLIC")


def _create_by_shelves() -> None:
    # See 0011. For the words of `sought` the index is asked, for the others the documents that it gives. To read those
    # of a word that very many hold takes longer than to find in the index which of them hold a second word as well.
    # On a wide shelf, and where very many begin with the same two letters, a long beginning leaves out so many more
    # than a shortened one that it is worth its lists.
    op.execute("""
        CREATE FUNCTION search.by_shelves(
            index_name text, workspace text, words text[], fewest float8, begun float8, rarest integer[],
            of_rank integer, at_most integer
        ) RETURNS TABLE (entity_id text, title text, shown jsonb, rank integer)
        LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            very_many CONSTANT integer := 100000;
            sought integer[] := ARRAY(
                SELECT r.place FROM unnest(rarest) WITH ORDINALITY AS r (place, number)
                WHERE r.number = 1 OR fewest > very_many AND r.place > 0);
            shortened boolean := begun <= very_many OR cardinality(sought) > 1;
            letters integer := 3;
            wanted integer := at_most;
            from_table text := format(' FROM search.%I WHERE workspace_id = %L ', index_name, workspace);
            first_words text := array_to_string(words, ' ');
            matching text := search.terms(workspace, of_rank, words);
            beginning text := left(words[cardinality(words)], 2);
            condition text;
            -- What tells the documents of this very rank.
            matches text := format(
                'ts_match_vq(document, %L) AND NOT (sort_key >= %L AND sort_key < %L)',
                matching, first_words, first_words || chr(1114111))
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
                -- On the shelf of the same two letters all documents would match a shortened beginning.
                condition := CASE WHEN letters = 0 THEN matching ELSE
                    search.terms(
                        workspace, of_rank, words, sought,
                        shortened AND letters = 3 AND NOT starts_with(first_title, beginning))
                        || ' & ' || quote_literal(search.shelf(workspace, first_title, letters)) END;
                RETURN QUERY EXECUTE format('SELECT entity_id, title, shown, %s FROM (SELECT *', of_rank) || from_table
                    || format('AND document @@ %L OFFSET 0) t WHERE sort_key >= %L AND ', condition, low)
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
    op.execute(f"REVOKE ALL ON FUNCTION {_BY_SHELVES} FROM PUBLIC")


def _create_find() -> None:
    # As in 0011, but that it asks first how frequent the words are, and the index for the rarest of them only; and that
    # it reads few documents before it goes to the shelves.
    op.execute("""
        CREATE OR REPLACE FUNCTION search.find(index_name text, words text[], at_most integer DEFAULT 20)
        RETURNS TABLE (entity_id text, title text, shown jsonb, rank integer)
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET gin_fuzzy_search_limit = 0 AS $$
        DECLARE
            look CONSTANT integer := 250;
            few CONSTANT integer := 1500;
            read_at_once CONSTANT integer := 200;
            scope text[] := ARRAY(SELECT batch_jobs.scope());
            first_words text := array_to_string(words, ' ');
            from_table text;
            matching text[];
            ranked text;
            ranks_seen integer[];
            found_at tid[];
            least_rank integer;
            expected float8[];
            fewest float8[];
            rarest_words integer[][];
            begun float8[];
            rank_number integer := 2;
            last_rank integer;
            wanted integer := coalesce(at_most, 20);
            number_found integer;
        BEGIN
            -- Places are counted from one, also where the caller counts otherwise.
            words := ARRAY(SELECT unnest(words));
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

            SELECT array_agg(e.documents ORDER BY of_rank), array_agg(e.fewest ORDER BY of_rank),
                array_agg(e.begun ORDER BY of_rank), array_agg(e.rarest ORDER BY of_rank)
            INTO expected, fewest, begun, rarest_words FROM search.expected(index_name, scope[1], words) AS e;
            matching := ARRAY(SELECT search.terms(scope[1], r, words) FROM generate_series(2, 5) AS r);
            ranked := format(
                'SELECT *, CASE WHEN NOT ts_match_vq(document, %L) OR sort_key >= %L AND sort_key < %L THEN 0
                    WHEN ts_match_vq(document, %L) THEN 2 WHEN ts_match_vq(document, %L) THEN 3
                    WHEN ts_match_vq(document, %L) THEN 4 ELSE 5 END AS rank',
                matching[4], first_words, first_words || chr(1114111), matching[1], matching[2], matching[3]
            ) || from_table;
            -- The first titles are not looked at where they would hold less than three quarters of what is wanted, if
            -- they were like all of the table; where they do hold more, the shelves give it as well. Of what is rarer
            -- still they tell how many ranks can be found at once.
            IF fewest[4] NOT BETWEEN few AND 0.75 * wanted / look * (
                SELECT reltuples FROM pg_class WHERE oid = to_regclass(format('search.%I', index_name)))
            THEN
                EXECUTE 'SELECT array_agg(rank) FROM (' || ranked
                    || format('ORDER BY sort_key, entity_id LIMIT %s', look) || ') first_titles WHERE rank > 0'
                    INTO ranks_seen;
            END IF;
            WHILE rank_number <= 5 LOOP
                -- Ranks that are rare altogether, as the first titles do not show otherwise, are found at once.
                SELECT max(r) INTO last_rank FROM generate_series(rank_number, 5) AS r
                WHERE expected[r - 1] <= few AND (r = rank_number OR wanted > (
                    SELECT count(*) FROM unnest(ranks_seen) AS s (seen) WHERE seen BETWEEN rank_number AND r));
                IF cardinality(array_positions(ranks_seen, rank_number)) >= wanted THEN
                    last_rank := rank_number;
                    RETURN QUERY EXECUTE 'SELECT entity_id, title, shown, rank FROM (' || ranked || format(
                        'ORDER BY sort_key, entity_id LIMIT %s) t WHERE rank = %s
                        ORDER BY sort_key, entity_id LIMIT %s', look, rank_number, wanted);
                ELSIF last_rank IS NULL THEN
                    last_rank := rank_number;
                    RETURN QUERY SELECT * FROM search.by_shelves(
                        index_name, scope[1], words, fewest[rank_number - 1], begun[rank_number - 1],
                        rarest_words[rank_number - 1:rank_number - 1], rank_number, wanted);
                ELSE
                    -- So that no other index is taken, which might give the first of them sooner.
                    EXECUTE format(
                        'SELECT array_agg(ctid) FROM (SELECT ctid FROM search.%I
                        WHERE workspace_id || '''' = %L AND document @@ %L LIMIT %s) t',
                        index_name, scope[1], search.terms(
                            scope[1], last_rank, words, rarest_words[last_rank - 1:last_rank - 1],
                            cardinality(words) > 1 AND begun[last_rank - 1] <= 20000), read_at_once + 1)
                        INTO found_at;
                    IF cardinality(found_at) > read_at_once THEN
                        -- Too many for that after all, as far as these tell from this rank on. The ranks before are
                        -- found at once yet; with each round there is one less at the least.
                        EXECUTE 'SELECT coalesce(min(rank), $2) FROM (' || ranked || 'AND ctid = ANY ($1)) t
                            WHERE rank BETWEEN $2 AND $3' INTO least_rank USING found_at, rank_number, last_rank;
                        expected := expected[1:least_rank - 2] || array_fill((few + 1)::float8, ARRAY[6 - least_rank]);
                        CONTINUE;
                    END IF;
                    RETURN QUERY EXECUTE 'SELECT entity_id, title, shown, rank FROM (' || ranked || format(
                        'AND ctid = ANY ($1)) t WHERE rank BETWEEN %s AND %s
                        ORDER BY rank, sort_key, entity_id LIMIT %s', rank_number, last_rank, wanted) USING found_at;
                END IF;
                GET DIAGNOSTICS number_found = ROW_COUNT;
                wanted := wanted - number_found;
                EXIT WHEN wanted <= 0;
                rank_number := last_rank + 1;
            END LOOP;
        END $$
    """)


def downgrade() -> None:
    """Search as before."""
    op.execute(f"DROP FUNCTION {_BY_SHELVES}")
    op.execute("DROP FUNCTION search.terms(text, integer, text[], integer[], boolean)")
    op.execute("DROP FUNCTION search.expected(text, text, text[])")
    shelves = import_module(_SHELVES)
    shelves._create_terms()
    shelves._create_expected()
    shelves._create_by_shelves()
    shelves._create_find()
