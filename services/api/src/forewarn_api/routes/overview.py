"""Summaries of all assets."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from forewarn.contracts.answers.overview import Overview, Sort
from forewarn.contracts.health import Condition
from forewarn_api.dependencies import BackendDep, StateDep
from forewarn_api.plant_index import Question
from forewarn_api.routes.common import problems

router = APIRouter(prefix="/api/v1", tags=["assets"])

_MOST_ROWS: Final = 500
_DEEPEST_PATH: Final = 8


class OverviewQuery(BaseModel):
    """Filter, sort order and page."""

    q: str = Field(default="", max_length=200, description="Text in id, name, class or location; case is ignored.")
    asset_class: str = Field(default="", max_length=128, description="Only assets of this class.")
    path: str = Field(default="", max_length=1_100, description="Only assets at or below this location: works/hall-1.")
    condition: list[Condition] = Field(default=[], max_length=6, description="Only assets in these conditions.")
    asset: list[str] = Field(default=[], max_length=100, description="Only these assets.")
    sort: Sort = Sort.AREA
    offset: int = Field(default=0, ge=0, le=1_000_000)
    limit: int = Field(default=50, ge=0, le=_MOST_ROWS)

    @property
    def question(self) -> Question:
        """Return the query without the page."""
        return Question(
            text=self.q.strip(),
            asset_class=self.asset_class,
            path=tuple(part for part in self.path.split("/") if part)[:_DEEPEST_PATH],
            conditions=frozenset(self.condition),
            assets=frozenset(self.asset),
            sort=self.sort,
        )


@router.get("/overview", responses=problems(503))
async def overview(backend: BackendDep, state: StateDep, query: Annotated[OverviewQuery, Query()]) -> Overview:
    """Return a page of assets with condition, health and worst alarm, and counts over the whole plant."""
    backend.complete_registry()
    backend.complete_live()
    return state.index.answer(query.question, query.offset, query.limit)
