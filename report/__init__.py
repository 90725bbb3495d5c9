"""What people look at after a bake: side-by-side pictures, plotted curves, one HTML page."""
