extension BenchPage {
  /// How the page looks: by day and by night, on paper, and as narrow as a telephone.
  static let style = """
    :root {
      --paper: #fbfaf8; --card: #ffffff; --ink: #1d2129; --soft: #646b78; --rule: #e4e2dd; --accent: #0f6e84;
      --tint: #0f6e8422; --alarm: #b3261e; --side: 4.4rem; --foot: 1.9rem;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #14171c; --card: #1b1f26; --ink: #e7e9ee; --soft: #9aa2b1; --rule: #2e343e; --accent: #5cc3d9;
        --tint: #5cc3d926; --alarm: #ff8a80;
      }
    }
    * { box-sizing: border-box; margin: 0; }
    body {
      background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
      font-variant-numeric: tabular-nums; max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem;
      display: grid; gap: 1.5rem;
    }
    h1 { font-size: clamp(1.6rem, 5vw, 2.4rem); line-height: 1.15; letter-spacing: -0.02em; overflow-wrap: anywhere; }
    h2 { font-size: 1rem; font-weight: 600; }
    header p { color: var(--soft); margin-top: .35rem; }
    header .kind { color: var(--accent); font-weight: 600; font-size: .85rem; margin: 0 0 .25rem; }
    .notice { border-left: 3px solid var(--alarm); background: var(--card); padding: .6rem .9rem; }
    .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; }
    .figures div, figure, section:not(.figures) {
      background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: 1rem 1.1rem;
    }
    dt { color: var(--soft); font-size: .85rem; }
    dd { font-size: 1.6rem; font-weight: 600; letter-spacing: -0.01em; line-height: 1.3; white-space: nowrap; }
    dd small { font-size: .85rem; font-weight: 400; color: var(--soft); margin-left: .3rem; letter-spacing: 0; }
    main { display: grid; grid-template-columns: repeat(2, 1fr); gap: 1.5rem; }
    main figure:first-child { grid-column: 1 / -1; }
    figcaption p { color: var(--soft); font-size: .85rem; margin-bottom: .9rem; }
    .chart { position: relative; height: 15rem; font-size: .78rem; color: var(--soft); margin-right: 1.2rem; }
    figure:first-child .chart { height: 20rem; }
    .plot { position: absolute; inset: 0 0 var(--foot) var(--side); }
    svg { display: block; width: 100%; height: 100%; overflow: visible; }
    path { fill: none; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
    .grid { stroke: var(--rule); stroke-width: 1; }
    .line { stroke: var(--accent); stroke-width: 2; }
    .area, .bars { fill: var(--tint); }
    .bars { fill: var(--accent); }
    .warning { stroke: var(--alarm); stroke-width: 1.5; }
    .chart span { position: absolute; white-space: nowrap; line-height: 1; }
    .chart .y { right: calc(100% - var(--side) + .6rem); transform: translateY(50%); }
    .chart .x { bottom: .35rem; transform: translateX(-50%); }
    .tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1.5rem; }
    table { width: 100%; border-collapse: collapse; margin-top: .5rem; font-size: .92rem; }
    th { text-align: left; font-weight: 400; color: var(--soft); padding: .3rem 1rem .3rem 0; white-space: nowrap; }
    td { text-align: right; padding: .3rem 0; overflow-wrap: anywhere; }
    tr + tr { border-top: 1px solid var(--rule); }
    pre {
      margin-top: .5rem; font: .85rem/1.6 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
    }
    @media (max-width: 46rem) {
      body { padding: 1.5rem .9rem 3rem; gap: 1rem; }
      main { grid-template-columns: minmax(0, 1fr); gap: 1rem; }
      .tables { gap: 1rem; }
      :root { --side: 3.7rem; }
      .figures { grid-template-columns: repeat(2, 1fr); }
      .figures div:last-child:nth-child(odd) { grid-column: 1 / -1; }
      .figures div, figure, section:not(.figures) { padding: .8rem .85rem; }
      dd { font-size: 1.3rem; }
    }
    @media print { body { max-width: none; padding: 0; } figure, section { break-inside: avoid; } }
    """
}
