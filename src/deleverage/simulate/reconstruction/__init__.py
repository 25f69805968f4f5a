"""20 and 21 November 2025 made again: prices and funding that were recorded, forced orders that were not, and never mistaken for them.

`facts` holds what is real and what was published; `prices` refines the hours; `positions` are leveraged positions entered along the way;
`orders` are those the path forced closed, scaled so that what a venue would have printed adds to what was published.
"""
