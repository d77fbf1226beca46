"""Asset classes of the user, for the subcommands that need any: the others start without loading them."""

from forewarn.adapters.catalogue import Catalogue, load_catalogue
from forewarn_local.home import find_home
from forewarn_local.settings import user_environment


def own_catalogue() -> Catalogue:
    """The catalogue with the user's own classes.

    Raises
    ------
    CatalogueError
        If they cannot be used.
    """
    root = find_home().root
    path = user_environment(root).get("CATALOGUE_PATH")
    return load_catalogue(None if path is None else root / path)
