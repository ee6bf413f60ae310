"""Numbers → rows of styled cells, pure: curves, bars, waterfalls, axes, ticks, colours. Nothing here knows a run."""
