"""Economics of an asset: cost of failures, wasted energy, repair now or later, savings; assumptions are stated."""
