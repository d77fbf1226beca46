"""All pages, in the order of the menu."""

from typing import Final

from forewarn_dashboard.page import AnyPage
from forewarn_dashboard.pages.alarms.page import ALARMS
from forewarn_dashboard.pages.asset.page import ASSET
from forewarn_dashboard.pages.overview.page import OVERVIEW

PAGES: Final[tuple[AnyPage, ...]] = (OVERVIEW, ALARMS, ASSET)
