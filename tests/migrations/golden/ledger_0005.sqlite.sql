-- Running upgrade ledger_0004 -> ledger_0005

DROP TRIGGER ledger_event_next;

CREATE TRIGGER ledger_event_next BEFORE INSERT ON ledger_event BEGIN
  SELECT RAISE(ABORT, 'ledger_event is append-only: only the next sequence of a log can be added')
  WHERE NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM ledger_event WHERE log_id = NEW.log_id);
  SELECT RAISE(ABORT, 'ledger_event is append-only: this sequence lies beyond the head of its log')
  WHERE NEW.seq >= coalesce((SELECT size FROM ledger_log WHERE id = NEW.log_id), 0);
  SELECT RAISE(ABORT, 'ledger_event is append-only: the log holds an event with this id already')
  WHERE EXISTS (SELECT 1 FROM ledger_event WHERE log_id = NEW.log_id AND id = NEW.id);
  SELECT RAISE(ABORT, 'ledger_event is append-only: this rowid is taken')
  WHERE EXISTS (SELECT 1 FROM ledger_event WHERE rowid = NEW.rowid);
END;

UPDATE ledger_alembic_version SET version_num='ledger_0005' WHERE ledger_alembic_version.version_num = 'ledger_0004';

