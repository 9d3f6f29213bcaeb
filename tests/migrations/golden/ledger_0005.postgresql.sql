BEGIN;

-- Running upgrade ledger_0004 -> ledger_0005

UPDATE ledger_alembic_version SET version_num='ledger_0005' WHERE ledger_alembic_version.version_num = 'ledger_0004';

COMMIT;

