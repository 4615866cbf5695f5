#include "weft/report/report.hpp"

#include <fmt/format.h>

#include "base/fail.hpp"
#include "report/json.hpp"
#include "report/page.hpp"
#include "weft/base/file.hpp"

namespace weft::report {

Report::Report(std::string_view title) : title_(escaped(title)) {}

Report& Report::section(std::string_view heading) {
  body_ += fmt::format("<h2>{}</h2>\n", escaped(heading));
  return *this;
}

Report& Report::text(std::string_view paragraph) {
  body_ += fmt::format("<p>{}</p>\n", escaped(paragraph));
  return *this;
}

Report& Report::table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
  std::string table = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"table\"><table>\n<thead><tr>";
  for (const auto& cell : head) table += fmt::format("<th scope=\"col\">{}</th>", escaped(cell));
  table += "</tr></thead>\n<tbody>\n";
  for (std::size_t row = 0; row < rows.size(); ++row) {
    check<ShapeError>(rows[row].size() == head.size(), "report::table", "row {} has {} cells, the head {}", row,
                      rows[row].size(), head.size());
    table += "<tr>";
    for (const auto& cell : rows[row]) table += fmt::format("<td>{}</td>", escaped(cell));
    table += "</tr>\n";
  }
  body_ += table + "</tbody></table></div>\n";
  if (rows.empty()) body_ += "<p class=\"note\">There is no data.</p>\n";
  return *this;
}

Report& Report::figure(std::string_view title, std::string data) {
  body_ += fmt::format("<figure id=\"figure-{}\"><figcaption>{}</figcaption></figure>\n", ++count_, escaped(title));
  figures_ += (figures_.empty() ? "" : ",\n") + std::move(data);
  return *this;
}

// Well-formed XML as well, so that any parser reads it. Nothing may be fetched, whatever the text holds.
std::string Report::html() const {
  std::string page = fmt::format(R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content=
"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"/>
<link rel="icon" href="data:,"/>
<title>{}</title>
<style>)",
                                 title_);
  page += page_style;
  page += fmt::format(R"(</style>
</head>
<body>
<main>
<h1>{}</h1>
<noscript><p class="note">The figures of this page are drawn by its script, which this reader doesn't run.</p></noscript>
{}</main>
<script id="data" type="application/json">[{}]</script>
<script>//<![CDATA[
"use strict";
(() => {{)",
                      title_, body_, figures_);
  page += script_basics;
  page += script_maps;
  page += script_figures;
  page += "})();\n//]]></script>\n</body>\n</html>\n";
  return page;
}

void Report::write(const std::filesystem::path& path) const { write_atomically(path, html()); }

}  // namespace weft::report
