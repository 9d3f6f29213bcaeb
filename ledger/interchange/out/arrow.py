"""The tables of a view in Arrow, in Parquet files, and as frames of pandas or polars.

Here is the way through pyarrow; the rows are those of `.tables`. pandas and polars are loaded when
a frame of theirs is asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from ledger.errors import MissingExtra
from ledger.interchange.out import columns
from ledger.interchange.out.columns import COLUMNS
from ledger.interchange.out.tables import rows
from ledger.view import View

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise MissingExtra("arrow", needs="pyarrow", purpose="Exporting tables") from error

BATCH: Final = 5_000
"""How many rows are in memory at once."""

_TYPES: Final[Mapping[str, Any]] = {
    columns.TEXT: pa.string(),
    columns.TEXTS: pa.list_(pa.string()),
    columns.WHOLE: pa.int64(),
    columns.YES: pa.bool_(),
    columns.DAY: pa.date32(),
    columns.INSTANT: pa.timestamp("us", tz="UTC"),
}


def batches(view: View, table: str) -> Iterator[pa.RecordBatch]:
    """One table in record batches of at most 5,000 rows, one in memory at a time.

    Raises:
        Invalid: there is no such table.
    """
    found, schema = rows(view, table), schema_of(table)
    while part := list(itertools.islice(found, BATCH)):
        yield pa.RecordBatch.from_pylist(part, schema=schema)


def arrow(view: View, table: str) -> pa.Table:
    """One table.

    Raises:
        Invalid: there is no such table.

    Example:
        >>> from ledger import Ledger
        >>> from ledger.testing import lachin
        >>> with Ledger.open(":memory:") as ledger:
        ...     lachin.load(ledger)
        ...     arrow(ledger.as_of(), "claims").num_rows
        9
    """
    return pa.Table.from_batches([*batches(view, table)], schema=schema_of(table))


def frame(view: View, table: str, *, of: Literal["pandas", "polars"] = "pandas") -> Any:
    """One table as a frame of pandas or of polars.

    Raises:
        Invalid: there is no such table.
        MissingExtra: the library of the frame is not installed.
    """
    found = arrow(view, table)
    try:
        if of == "polars":
            import polars as pl  # noqa: PLC0415 - loaded when asked for

            return pl.from_arrow(found)
        return found.to_pandas()
    except ImportError as error:
        raise MissingExtra("arrow", needs=of, purpose=f"A frame of {of}") from error


def write(view: View, folder: Path) -> int:
    """Write a Parquet file for each table into a folder; gives the number of rows."""
    count = 0
    for table in COLUMNS:
        schema = schema_of(table)
        with pq.ParquetWriter(folder / f"{table}.parquet", schema, compression="zstd") as writer:
            for batch in batches(view, table):
                writer.write_batch(batch)
                count += batch.num_rows
    return count


def schema_of(table: str) -> pa.Schema:
    """The schema of a table."""
    return pa.schema([(name, _TYPES[of]) for name, of in COLUMNS[table].items()])
