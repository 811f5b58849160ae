"""Commands: what is typed: `alignir COMMAND`, and the main job."""
