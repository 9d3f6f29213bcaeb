-- Running upgrade ledger_0005 -> ledger_0006

CREATE TABLE ledger_node (
    log_id BIGINT NOT NULL, 
    level BIGINT NOT NULL, 
    idx BIGINT NOT NULL, 
    hash BLOB NOT NULL, 
    CONSTRAINT ledger_node_pk PRIMARY KEY (log_id, level, idx)
)
 WITHOUT ROWID;

UPDATE ledger_alembic_version SET version_num='ledger_0006' WHERE ledger_alembic_version.version_num = 'ledger_0005';

