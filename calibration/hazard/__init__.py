"""What holders and signals do to the rate of crashes."""
