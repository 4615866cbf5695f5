#include "weft/report/report.hpp"

#include <fmt/format.h>

#include "base/fail.hpp"
#include "report/json.hpp"
#include "report/page.hpp"
#include "weft/base/file.hpp"

namespace weft::report {
namespace {

/// A heading: of a long title its first characters, the whole one as a tooltip.
std::string caption_of(std::string_view title) {
  constexpr std::size_t longest = 80;
  std::size_t end = 0, characters = 0;
  for (; end < title.size(); ++end) {
    const bool within = (static_cast<unsigned char>(title[end]) & 0xC0U) == 0x80;  // a character of UTF-8
    if (!within && ++characters > longest) break;
  }
  if (end == title.size()) return fmt::format("<figcaption>{}</figcaption>", escaped(title));
  return fmt::format("<figcaption title=\"{}\">{}…</figcaption>", escaped(title), escaped(title.substr(0, end)));
}

}  // namespace

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
  body_ += fmt::format("<figure id=\"figure-{}\">{}</figure>\n", ++count_, caption_of(title));
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
