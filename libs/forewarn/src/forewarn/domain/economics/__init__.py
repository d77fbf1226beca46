"""Economics of an asset: cost of failures, wasted energy, repair now or later, savings, all with stated assumptions."""
