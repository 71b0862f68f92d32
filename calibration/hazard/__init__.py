"""Effect of holders and signals on the rate of crashes."""
