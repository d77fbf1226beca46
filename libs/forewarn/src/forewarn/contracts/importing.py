"""How to read a historian's file: a document that a person writes or confirms."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from forewarn.contracts.base import Identifier, StrictContract, TagName, UtcDatetime

#: ``text`` is any date whose order is certain: year first, or the month in letters.
TimeFormat = Literal[
    "text", "day-first", "month-first", "epoch-s", "epoch-ms", "epoch-us", "epoch-ns", "excel", "elapsed-s"
]


class TimeColumns(StrictContract):
    """The columns of the time, and their format."""

    columns: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)] = Field(
        description="One column, or date and time of day."
    )
    format: TimeFormat = "text"
    timezone: str = Field(default="UTC", description="Zone of times that name none: Europe/Berlin, or +05:30.")
    start: UtcDatetime | None = Field(default=None, description="Moment of time 0 where the format is elapsed-s.")

    @model_validator(mode="after")
    def _has_a_start(self) -> "TimeColumns":
        if (self.format == "elapsed-s") != (self.start is not None):
            raise ValueError("start is needed where the format is elapsed-s, and only there")
        return self


class ColumnMapping(StrictContract):
    """Meaning of a column."""

    tag: TagName
    unit: str | None = Field(default=None, description="Unit of the values in the file; the tag's by default.")
    quality: str | None = Field(default=None, description="Column with the quality of this one.")


class LongLayout(StrictContract):
    """A file with one value a row: these columns name the tag and hold the value."""

    tag: str
    value: str
    quality: str | None = None


class ImportMapping(StrictContract):
    """Everything needed to read a file without further questions."""

    asset_class: Identifier | None = Field(default=None, description="Registers assets that are not there yet.")
    asset: Identifier | None = Field(default=None, description="The asset that all rows are of.")
    asset_column: str | None = Field(default=None, description="Column that names each row's asset.")
    asset_names: dict[str, Identifier] = Field(default_factory=dict, description="Ids by the file's own names.")
    time: TimeColumns
    long: LongLayout | None = None
    columns: Annotated[dict[str, ColumnMapping], Field(min_length=1)] = Field(
        description="By column; in a long file by the name in the tag column."
    )
    ignored: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_of_one_mind(self) -> "ImportMapping":
        if (self.asset is None) == (self.asset_column is None):
            raise ValueError("either asset or asset_column must say whose readings these are")
        tags = [column.tag for column in self.columns.values()]
        twice = sorted({tag for tag in tags if tags.count(tag) > 1})
        if twice:
            raise ValueError(f"two columns are mapped to {', '.join(twice)}")
        return self
