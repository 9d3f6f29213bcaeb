-- Running upgrade ledger_0003 -> ledger_0004

UPDATE ledger_alembic_version SET version_num='ledger_0004' WHERE ledger_alembic_version.version_num = 'ledger_0003';

