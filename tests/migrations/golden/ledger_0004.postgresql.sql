BEGIN;

-- Running upgrade ledger_0003 -> ledger_0004

CREATE OR REPLACE FUNCTION ledger_check_next() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_sort = off SET search_path FROM CURRENT AS $$
DECLARE
  batch record;
  known_size bigint;
BEGIN
  FOR batch IN
    SELECT log_id, min(seq) AS first, max(seq) AS last, count(*) AS many
    FROM added GROUP BY log_id
  LOOP
    SELECT size INTO known_size FROM ledger_log WHERE id = batch.log_id;
    IF batch.first < 0 OR batch.last - batch.first + 1 <> batch.many
      OR (batch.first > 0 AND batch.first - 1 IS DISTINCT FROM (
        SELECT e.seq FROM ledger_event AS e WHERE e.log_id = batch.log_id AND e.seq < batch.first
        ORDER BY e.seq DESC LIMIT 1))
    THEN
      RAISE EXCEPTION '% is append-only: only the next sequences of a log can be added',
        TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    IF known_size IS NULL OR batch.last >= known_size THEN
      RAISE EXCEPTION '% is append-only: sequence % lies beyond the head of its log',
        TG_TABLE_NAME, batch.last USING ERRCODE = 'restrict_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

DO $$ DECLARE
  home text;
BEGIN
  SELECT relnamespace::regnamespace INTO home FROM pg_class WHERE oid = 'ledger_event'::regclass;
  EXECUTE format('ALTER FUNCTION ledger_check_next() SET search_path = %s, pg_temp', home);
END $$;

UPDATE ledger_alembic_version SET version_num='ledger_0004' WHERE ledger_alembic_version.version_num = 'ledger_0003';

COMMIT;

