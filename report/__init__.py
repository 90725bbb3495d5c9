"""What people look at after a bake: side-by-side pictures, plotted curves, one HTML page."""

import logging

# What matplotlib has to say of its caches helps nobody who waits for a page.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
