CREATE TABLE {prefix}alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT {prefix}alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE {prefix}log (
    id INTEGER NOT NULL,
    origin TEXT NOT NULL,
    size BIGINT NOT NULL,
    known_at TEXT,
    CONSTRAINT {prefix}log_pk PRIMARY KEY (id),
    CONSTRAINT {prefix}log_origin_key UNIQUE (origin)
);

CREATE TABLE {prefix}event (
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
    CONSTRAINT {prefix}event_pk PRIMARY KEY (log_id, seq),
    CONSTRAINT {prefix}event_id_key UNIQUE (log_id, id)
);

CREATE TABLE {prefix}stream (
    log_id BIGINT NOT NULL,
    stream TEXT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT {prefix}stream_pk PRIMARY KEY (log_id, stream)
)
 WITHOUT ROWID;

CREATE TRIGGER {prefix}event_place AFTER INSERT ON {prefix}event WHEN NEW.rowid < 1 BEGIN
      SELECT RAISE(ABORT, '{prefix}event is append-only: a rowid below 1 is refused');
    END;

CREATE TRIGGER {prefix}event_no_delete BEFORE DELETE ON {prefix}event BEGIN
      SELECT RAISE(ABORT, '{prefix}event is append-only: an event cannot be deleted');
    END;

CREATE TRIGGER {prefix}log_new BEFORE INSERT ON {prefix}log BEGIN
      SELECT RAISE(ABORT, '{prefix}log is append-only: a new log begins with size 0 and no instant')
      WHERE NEW.size <> 0 OR NEW.known_at IS NOT NULL;
      SELECT RAISE(ABORT, '{prefix}log is append-only: this log is there already')
      WHERE EXISTS (SELECT 1 FROM {prefix}log WHERE id = NEW.id OR origin = NEW.origin);
    END;

CREATE TRIGGER {prefix}log_grows BEFORE UPDATE ON {prefix}log
    WHEN NEW.id <> OLD.id OR NEW.origin <> OLD.origin OR NEW.size < OLD.size
      OR (OLD.known_at IS NOT NULL AND (NEW.known_at IS NULL OR NEW.known_at < OLD.known_at))
    BEGIN
      SELECT RAISE(ABORT, '{prefix}log is append-only: a head can only grow');
    END;

CREATE TRIGGER {prefix}log_no_delete BEFORE DELETE ON {prefix}log BEGIN
      SELECT RAISE(ABORT, '{prefix}log is append-only: a head cannot be deleted');
    END;

CREATE TRIGGER {prefix}stream_new BEFORE INSERT ON {prefix}stream BEGIN
      SELECT RAISE(ABORT, '{prefix}stream is append-only: this stream is there already')
      WHERE EXISTS (SELECT 1 FROM {prefix}stream WHERE log_id = NEW.log_id AND stream = NEW.stream);
    END;

CREATE TRIGGER {prefix}stream_grows BEFORE UPDATE ON {prefix}stream
    WHEN NEW.log_id <> OLD.log_id OR NEW.stream <> OLD.stream OR NEW.version <= OLD.version BEGIN
      SELECT RAISE(ABORT, '{prefix}stream is append-only: a version can only grow');
    END;

CREATE TRIGGER {prefix}stream_no_delete BEFORE DELETE ON {prefix}stream BEGIN
      SELECT RAISE(ABORT, '{prefix}stream is append-only: a stream cannot be deleted');
    END;

CREATE TABLE {prefix}cursor (
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
    CONSTRAINT {prefix}cursor_pk PRIMARY KEY (log_id, name, version, build)
);

CREATE TABLE {prefix}served (
    log_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    build BIGINT NOT NULL,
    CONSTRAINT {prefix}served_pk PRIMARY KEY (log_id, name)
);

CREATE TABLE {prefix}parked (
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
    CONSTRAINT {prefix}parked_pk PRIMARY KEY (log_id, name, version, build, seq)
);

CREATE TRIGGER {prefix}event_next BEFORE INSERT ON {prefix}event BEGIN
  SELECT RAISE(ABORT, '{prefix}event is append-only: only the next sequence of a log can be added')
  WHERE NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM {prefix}event WHERE log_id = NEW.log_id);
  SELECT RAISE(ABORT, '{prefix}event is append-only: this sequence lies beyond the head of its log')
  WHERE NEW.seq >= coalesce((SELECT size FROM {prefix}log WHERE id = NEW.log_id), 0);
  SELECT RAISE(ABORT, '{prefix}event is append-only: the log holds an event with this id already')
  WHERE EXISTS (SELECT 1 FROM {prefix}event WHERE log_id = NEW.log_id AND id = NEW.id);
  SELECT RAISE(ABORT, '{prefix}event is append-only: this rowid is taken')
  WHERE EXISTS (SELECT 1 FROM {prefix}event WHERE rowid = NEW.rowid);
END;

CREATE TABLE {prefix}node (
    log_id BIGINT NOT NULL,
    level BIGINT NOT NULL,
    idx BIGINT NOT NULL,
    hash BLOB NOT NULL,
    CONSTRAINT {prefix}node_pk PRIMARY KEY (log_id, level, idx)
)
 WITHOUT ROWID;

CREATE TRIGGER {prefix}event_no_update BEFORE UPDATE ON {prefix}event BEGIN
      SELECT RAISE(ABORT, '{prefix}event is append-only: an event cannot be changed')
      WHERE NEW.rowid <> OLD.rowid OR NEW.log_id IS NOT OLD.log_id OR NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id OR NEW.type IS NOT OLD.type OR NEW.stream IS NOT OLD.stream OR NEW.stream_v IS NOT OLD.stream_v OR NEW.known_at IS NOT OLD.known_at OR NEW.entry IS NOT OLD.entry OR NEW.leaf_hash IS NOT OLD.leaf_hash OR (NEW.slot_who IS OLD.slot_who AND NEW.slot_what IS OLD.slot_what AND NEW.slot_words IS OLD.slot_words AND NEW.slot_by IS OLD.slot_by) OR NOT EXISTS (
        SELECT 1 FROM (
          SELECT CASE type WHEN 'content_erased' THEN CAST(substr(slot_what, 33) AS TEXT) END
            AS said FROM {prefix}event WHERE log_id = OLD.log_id ORDER BY seq DESC LIMIT 1
        ) AS cause
        WHERE json_extract(cause.said, '$.target') = OLD.id AND (NEW.slot_who IS OLD.slot_who OR (NEW.slot_who IS NULL AND OLD.type <> 'content_erased' AND 'who' IN (SELECT value FROM json_each(cause.said, '$.slots')))) AND (NEW.slot_what IS OLD.slot_what OR (NEW.slot_what IS NULL AND OLD.type <> 'content_erased' AND 'what' IN (SELECT value FROM json_each(cause.said, '$.slots')))) AND (NEW.slot_words IS OLD.slot_words OR (NEW.slot_words IS NULL AND OLD.type <> 'content_erased' AND 'words' IN (SELECT value FROM json_each(cause.said, '$.slots')))) AND (NEW.slot_by IS OLD.slot_by OR (NEW.slot_by IS NULL AND 'by' IN (SELECT value FROM json_each(cause.said, '$.slots')))));
    END;

CREATE TRIGGER {prefix}event_erases AFTER INSERT ON {prefix}event WHEN NEW.type = 'content_erased' BEGIN
      UPDATE {prefix}event SET slot_who = CASE WHEN 'who' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots')) THEN NULL ELSE slot_who END, slot_what = CASE WHEN 'what' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots')) THEN NULL ELSE slot_what END, slot_words = CASE WHEN 'words' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots')) THEN NULL ELSE slot_words END, slot_by = CASE WHEN 'by' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots')) THEN NULL ELSE slot_by END
      WHERE log_id = NEW.log_id AND seq < NEW.seq
        AND id = json_extract(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.target') AND ((slot_who IS NOT NULL AND 'who' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots'))) OR (slot_what IS NOT NULL AND 'what' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots'))) OR (slot_words IS NOT NULL AND 'words' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots'))) OR (slot_by IS NOT NULL AND 'by' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots'))));
    END;

INSERT INTO {prefix}alembic_version (version_num) VALUES ('ledger_0007');

