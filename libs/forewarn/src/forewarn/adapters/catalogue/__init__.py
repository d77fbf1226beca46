"""The catalogue of asset classes, read from YAML files."""

from forewarn.adapters.catalogue.loading import Catalogue, CatalogueError, load_catalogue

__all__ = ["Catalogue", "CatalogueError", "load_catalogue"]
