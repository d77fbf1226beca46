"""Pages that say why there is nothing to show."""

from typing import Final

from dash import dcc, html

from forewarn_dashboard.components import empty_state
from forewarn_dashboard.scene import Node
from forewarn_dashboard.urls import View

PATIENCE: Final = "This page continues by itself as soon as the API answers again."


def not_found(view: View) -> Node:
    """Unknown address."""
    back = dcc.Link("Go to the overview", href=view.to("overview"))
    return [html.H1("Page not found"), empty_state("There is no such page", back)]


def no_asset(view: View) -> Node:
    """Unknown asset."""
    back = dcc.Link("See all assets", href=view.to("overview"))
    return [
        html.H1("Asset not found"),
        empty_state(
            f"There is no asset {view.asset_id}", "It may have been removed, or the address is mistyped.", back
        ),
    ]


def api_away(problem: str) -> Node:
    """The API does not answer."""
    return [html.H1("No connection to the API"), empty_state("The plant's data cannot be read", problem, PATIENCE)]


def bad_request(problem: str, view: View) -> Node:
    """The address asks for something that cannot be, such as a range that ends before it starts."""
    back = dcc.Link("Show the last 30 minutes", href=view.to("asset", asset_id=view.asset_id))
    return [html.H1("This cannot be shown"), empty_state("Check the address", problem, back)]


def failed(error_id: str) -> Node:
    """Something broke in the dashboard itself."""
    return [
        html.H1("Something went wrong"),
        empty_state(
            f"Error {error_id}", "The log of the dashboard tells more under this number. Reload the page to try again."
        ),
    ]
