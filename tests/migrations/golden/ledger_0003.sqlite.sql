-- Running upgrade ledger_0002 -> ledger_0003

UPDATE ledger_alembic_version SET version_num='ledger_0003' WHERE ledger_alembic_version.version_num = 'ledger_0002';

