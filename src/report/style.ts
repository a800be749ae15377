/**
 * The report's style: system fonts, light and dark, and a print form: always light, tables whole, nothing folded away, no
 * picture cut in two.
 */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #5b6775; --line: #d9dfe6; --page: #f6f8fa; --card: #fff;
  --good: #1a7f4b; --bad: #b42318; --warn: #9a6700; --accent: #0b6bcb; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e7ebf0; --soft: #9aa7b5; --line: #2c3744; --page: #10161d; --card: #18212b;
  --good: #4cc38a; --bad: #ff8a80; --warn: #e3b341; --accent: #6cb6ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 36px 0 12px; } h3 { font-size: 15px; margin: 18px 0 8px; }
.lead { color: var(--soft); margin: 0; } .verdict { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 14px; margin-top: 20px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.card .big { font-size: 28px; font-weight: 650; line-height: 1.2; } .card p { margin: 2px 0 0; color: var(--soft); }
.scroll + .lead { margin-top: 10px; } .scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; } th, td { text-align: left; padding: 7px 12px; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; } th { color: var(--soft); font-weight: 600; white-space: nowrap; } th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, monospace; }
.failure { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 10px; padding: 12px 16px; margin: 10px 0; }
.failure p { margin: 4px 0 0; } .failure .remedy { color: var(--soft); }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(520px, 1fr)); gap: 14px; }
.pictures figure { margin: 0; background: #0c0c0c; border-radius: 10px; overflow: hidden; } .pictures img { display: block; width: 100%; height: auto; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 14px; }
.plots figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px; }
.plots figcaption { font-size: 13px; color: var(--soft); overflow-wrap: anywhere; } svg text { fill: var(--soft); font-size: 11px; } svg rect { fill: var(--accent); }
.sign { display: grid; grid-template-columns: repeat(3, 1fr); gap: 24px; margin-top: 18px; } .sign div { border-bottom: 1px solid var(--ink); height: 44px; }
.sign span { color: var(--soft); font-size: 13px; } details { margin: 10px 0; } details .scroll { margin-top: 6px; } summary { cursor: pointer; color: var(--accent); }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px; overflow-x: auto; font-size: 13px; }
@media (max-width: 640px) { .pictures { grid-template-columns: 1fr; } .sign { grid-template-columns: 1fr; } }
@media print { :root { color-scheme: light; } body { background: #fff; font-size: 13px; } .scroll { overflow: visible; } table { font-size: 10px; }
  th, td { padding: 3px 5px; } th { white-space: normal; } td:first-child { white-space: nowrap; }
  details::details-content { content-visibility: visible; } thead { display: table-header-group; } h2, h3 { break-after: avoid; }
  .pictures { grid-template-columns: 1fr 1fr; } .plots { grid-template-columns: repeat(3, 1fr); } .card, .failure, figure, tr { break-inside: avoid; } main { padding: 0; } }
`;
