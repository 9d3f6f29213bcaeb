"""Events and the database: the only floor that knows SQLAlchemy (store.md).

Here lives how a log is kept in SQLite and in PostgreSQL, and nothing of what the events mean.

```
layout        the names of the tables                tables       the tables themselves
types         instants as columns                    engines      from a path or URL to an Engine
transaction   whose transaction it is                ways         how one of ours begins and ends
refusals      the driver's errors in sentences
append        the one way in                         read         the ways out
batch         what one append sends                  on_sqlite, on_postgres   how it is written
schema        making, checking, upgrading            audit        every stored byte, looked at again
```

Every function takes a Connection first; `transaction` is where Connections come from.
"""
