"""Rows from a parquet file: columns of text, numbers, booleans or dates."""

from pathlib import Path

from tasks.campaign_file.row_values import Rows, RowsFaultError, check_names, check_number, check_value


def read_parquet(file: Path) -> Rows:
    """Read rows from a parquet file; what stands for a line in a fault is the row, counted from 1.

    Raises:
        RowsFaultError: It is not a parquet file, or a value is not accepted.
        OSError: It cannot be read.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(file) as opened:
            names = opened.schema_arrow.names
            check_names(file, 1, names)
            check_number(file, opened.metadata.num_rows, opened.metadata.num_rows)
            table = opened.read()
        columns = [column.to_pylist() for column in table.columns]
    except (pyarrow.ArrowException, UnicodeDecodeError, OverflowError) as error:
        message = f"{file} cannot be read ({str(error).splitlines()[0]})"
        raise RowsFaultError(message) from error
    numbered = enumerate(zip(*columns, strict=True), start=1)
    rows = [
        {name: check_value(file, number, name, value) for name, value in zip(names, values, strict=True)}
        for number, values in numbered
    ]
    return Rows(rows, [f"{file.name}:{number}" for number in range(1, len(rows) + 1)])
