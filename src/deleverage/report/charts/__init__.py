"""Charts of the report as SVG: drawn here, so that the same rows give the same bytes, in the screen's palette and either theme."""
