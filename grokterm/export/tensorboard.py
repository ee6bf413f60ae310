"""TensorBoard: an event file with every scalar, what happened as texts, and the configuration.

Scalars are TABLE/COLUMN (steps/train_loss, steps/lr, measures/weight_norm_sq/W_E), in single precision, which is all
that TensorBoard shows. Texts are events/KIND. Wall times are the recorded ones. Vectors and matrices are left out:
TensorBoard would sort a spectrum's numbers into a histogram and lose which frequency each belongs to.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokterm.export.contents import SMALL_BLOCK_BYTES, RecordedTable, RunContents, contents_of, safe, words_of
from grokterm.extras import load
from grokterm.progress import Progress
from grokterm.run.directory import RunDirectory

if TYPE_CHECKING:
    from tensorboard.summary.writer.record_writer import RecordWriter


def write(run: RunDirectory, path: Path, progress: Progress) -> str:
    """Write one event file into the folder `path`."""
    load("tensorboard.compat.proto.event_pb2", "--to tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event as Record
    from tensorboard.summary.writer.record_writer import RecordWriter

    contents = contents_of(run)
    progress.begin(sum(table.nbytes for table in contents.scalar_tables))
    began = contents.times.began
    with (path / f"events.out.tfevents.{began:010.0f}.grokterm").open("wb") as file:
        records = RecordWriter(file)
        records.write(Record(wall_time=began, file_version="brain.Event:2").SerializeToString())
        _write_text(records, "config", contents.config_text, 0, began)
        for event in contents.events:
            _write_text(records, f"events/{safe(event.kind)}", words_of(event), event.step, event.time)
        for table in contents.scalar_tables:
            _write_scalars(records, contents, table, progress)
    return contents.scalar_summary()


def _write_scalars(records: "RecordWriter", contents: RunContents, table: RecordedTable, progress: Progress) -> None:
    """Write one record a row: numbers of one step share its time and cost one checksum."""
    from tensorboard.compat.proto.event_pb2 import Event as Record
    from tensorboard.compat.proto.summary_pb2 import Summary

    tags = [f"{table.name}/{name}" for name in table.scalars]
    for rows in table.blocks(SMALL_BLOCK_BYTES):
        times = contents.times.of(rows["step"]).tolist()
        columns: list[list[Any]] = [rows[name].tolist() for name in table.scalars]
        for time, step, *numbers in zip(times, rows["step"].tolist(), *columns, strict=True):
            values = [Summary.Value(tag=tag, simple_value=number) for tag, number in zip(tags, numbers, strict=True)]
            records.write(Record(wall_time=time, step=step, summary=Summary(value=values)).SerializeToString())
        progress.advance(rows.nbytes)


def _write_text(records: "RecordWriter", tag: str, text: str, step: int, time: float) -> None:
    from tensorboard.compat.proto.event_pb2 import Event as Record
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING
    from tensorboard.plugins.text.metadata import create_summary_metadata

    about = create_summary_metadata(display_name="", description="")
    tensor = TensorProto(dtype=DT_STRING, string_val=[_as_code(text).encode("utf-8", "replace")])
    value = Summary.Value(tag=tag, metadata=about, tensor=tensor)
    records.write(Record(wall_time=time, step=step, summary=Summary(value=[value])).SerializeToString())


def _as_code(text: str) -> str:
    """`text` as a block of code in Markdown, which is what TensorBoard takes texts for: it is shown to the letter."""
    return "\n".join(f"    {line}" for line in text.splitlines())
