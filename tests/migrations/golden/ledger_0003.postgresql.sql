BEGIN;

-- Running upgrade ledger_0002 -> ledger_0003

DO $$ DECLARE
  home text;
BEGIN
  SELECT relnamespace::regnamespace INTO home FROM pg_class WHERE oid = 'ledger_event'::regclass;
  EXECUTE format('ALTER FUNCTION ledger_check_next() SET search_path = %s, pg_temp', home);
END $$;

ALTER FUNCTION ledger_refuse() SET search_path = pg_catalog, pg_temp;

ALTER FUNCTION ledger_grow_log() SET search_path = pg_catalog, pg_temp;

ALTER FUNCTION ledger_check_new_log() SET search_path = pg_catalog, pg_temp;

ALTER FUNCTION ledger_grow_stream() SET search_path = pg_catalog, pg_temp;

UPDATE ledger_alembic_version SET version_num='ledger_0003' WHERE ledger_alembic_version.version_num = 'ledger_0002';

COMMIT;

