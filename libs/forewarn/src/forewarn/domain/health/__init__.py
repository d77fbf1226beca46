"""Health of an asset: metric scores, index, trend, growth of failure indicators, remaining useful life."""
