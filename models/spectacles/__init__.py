"""What finds spectacles on a character's picture, so that they stay while the face moves."""
