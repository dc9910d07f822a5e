"""Infrastructure: nested stacks, the bundles they name, and the run on an embedded AWS."""
