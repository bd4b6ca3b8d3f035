"""What executes lanes. Every engine gives the same curves; they differ in speed and in what they need."""
