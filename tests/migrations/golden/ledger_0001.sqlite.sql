CREATE TABLE ledger_alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT ledger_alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> ledger_0001

CREATE TABLE ledger_log (
    id INTEGER NOT NULL, 
    origin TEXT NOT NULL, 
    size BIGINT NOT NULL, 
    known_at TEXT, 
    CONSTRAINT ledger_log_pk PRIMARY KEY (id), 
    CONSTRAINT ledger_log_origin_key UNIQUE (origin)
);

CREATE TABLE ledger_event (
    log_id BIGINT NOT NULL, 
    seq BIGINT NOT NULL, 
    id TEXT NOT NULL, 
    type TEXT NOT NULL, 
    stream TEXT NOT NULL, 
    stream_v BIGINT NOT NULL, 
    known_at TEXT NOT NULL, 
    entry TEXT NOT NULL, 
    leaf_hash BLOB NOT NULL, 
    slot_who BLOB, 
    slot_what BLOB, 
    slot_words BLOB, 
    slot_by BLOB, 
    CONSTRAINT ledger_event_pk PRIMARY KEY (log_id, seq), 
    CONSTRAINT ledger_event_id_key UNIQUE (log_id, id)
);

CREATE TABLE ledger_stream (
    log_id BIGINT NOT NULL, 
    stream TEXT NOT NULL, 
    version BIGINT NOT NULL, 
    CONSTRAINT ledger_stream_pk PRIMARY KEY (log_id, stream)
)
 WITHOUT ROWID;

CREATE TRIGGER ledger_event_next BEFORE INSERT ON ledger_event BEGIN
      SELECT RAISE(ABORT, 'ledger_event is append-only: only the next sequence of a log can be added')
      WHERE NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM ledger_event WHERE log_id = NEW.log_id);
      SELECT RAISE(ABORT, 'ledger_event is append-only: the log holds an event with this id already')
      WHERE EXISTS (SELECT 1 FROM ledger_event WHERE log_id = NEW.log_id AND id = NEW.id);
      SELECT RAISE(ABORT, 'ledger_event is append-only: this rowid is taken')
      WHERE EXISTS (SELECT 1 FROM ledger_event WHERE rowid = NEW.rowid);
    END;

CREATE TRIGGER ledger_event_place AFTER INSERT ON ledger_event WHEN NEW.rowid < 1 BEGIN
      SELECT RAISE(ABORT, 'ledger_event is append-only: a rowid below 1 is refused');
    END;

CREATE TRIGGER ledger_event_no_update BEFORE UPDATE ON ledger_event BEGIN
      SELECT RAISE(ABORT, 'ledger_event is append-only: an event cannot be changed');
    END;

CREATE TRIGGER ledger_event_no_delete BEFORE DELETE ON ledger_event BEGIN
      SELECT RAISE(ABORT, 'ledger_event is append-only: an event cannot be deleted');
    END;

CREATE TRIGGER ledger_log_new BEFORE INSERT ON ledger_log BEGIN
      SELECT RAISE(ABORT, 'ledger_log is append-only: a new log begins with size 0 and no instant')
      WHERE NEW.size <> 0 OR NEW.known_at IS NOT NULL;
      SELECT RAISE(ABORT, 'ledger_log is append-only: this log is there already')
      WHERE EXISTS (SELECT 1 FROM ledger_log WHERE id = NEW.id OR origin = NEW.origin);
    END;

CREATE TRIGGER ledger_log_grows BEFORE UPDATE ON ledger_log
    WHEN NEW.id <> OLD.id OR NEW.origin <> OLD.origin OR NEW.size < OLD.size
      OR (OLD.known_at IS NOT NULL AND (NEW.known_at IS NULL OR NEW.known_at < OLD.known_at))
    BEGIN
      SELECT RAISE(ABORT, 'ledger_log is append-only: a head can only grow');
    END;

CREATE TRIGGER ledger_log_no_delete BEFORE DELETE ON ledger_log BEGIN
      SELECT RAISE(ABORT, 'ledger_log is append-only: a head cannot be deleted');
    END;

CREATE TRIGGER ledger_stream_new BEFORE INSERT ON ledger_stream BEGIN
      SELECT RAISE(ABORT, 'ledger_stream is append-only: this stream is there already')
      WHERE EXISTS (SELECT 1 FROM ledger_stream WHERE log_id = NEW.log_id AND stream = NEW.stream);
    END;

CREATE TRIGGER ledger_stream_grows BEFORE UPDATE ON ledger_stream
    WHEN NEW.log_id <> OLD.log_id OR NEW.stream <> OLD.stream OR NEW.version <= OLD.version BEGIN
      SELECT RAISE(ABORT, 'ledger_stream is append-only: a version can only grow');
    END;

CREATE TRIGGER ledger_stream_no_delete BEFORE DELETE ON ledger_stream BEGIN
      SELECT RAISE(ABORT, 'ledger_stream is append-only: a stream cannot be deleted');
    END;

INSERT INTO ledger_alembic_version (version_num) VALUES ('ledger_0001') RETURNING version_num;

