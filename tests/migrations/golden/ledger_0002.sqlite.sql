-- Running upgrade ledger_0001 -> ledger_0002

CREATE TABLE ledger_cursor (
    log_id BIGINT NOT NULL, 
    name TEXT NOT NULL, 
    version BIGINT NOT NULL, 
    build BIGINT NOT NULL, 
    phase TEXT NOT NULL, 
    position BIGINT NOT NULL, 
    effects BIGINT, 
    state TEXT, 
    fence BIGINT NOT NULL, 
    owner TEXT, 
    beat_at TEXT, 
    CONSTRAINT ledger_cursor_pk PRIMARY KEY (log_id, name, version, build)
);

CREATE TABLE ledger_served (
    log_id BIGINT NOT NULL, 
    name TEXT NOT NULL, 
    version BIGINT NOT NULL, 
    build BIGINT NOT NULL, 
    CONSTRAINT ledger_served_pk PRIMARY KEY (log_id, name)
);

CREATE TABLE ledger_parked (
    log_id BIGINT NOT NULL, 
    name TEXT NOT NULL, 
    version BIGINT NOT NULL, 
    build BIGINT NOT NULL, 
    seq BIGINT NOT NULL, 
    event_id TEXT NOT NULL, 
    kind TEXT NOT NULL, 
    reason TEXT NOT NULL, 
    attempts BIGINT NOT NULL, 
    at TEXT NOT NULL, 
    CONSTRAINT ledger_parked_pk PRIMARY KEY (log_id, name, version, build, seq)
);

UPDATE ledger_alembic_version SET version_num='ledger_0002' WHERE ledger_alembic_version.version_num = 'ledger_0001';

