"""Colours, palettes and icons: the only place that knows them."""
