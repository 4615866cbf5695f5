#pragma once
#include <cstdint>
#include <span>
#include <string_view>

// Words of the built-in English-French grammar. Every English word has one French counterpart in the place where it stands.
namespace weft::data::grammar {

enum class Gender : std::uint8_t { masculine, feminine };

/// What a noun stands for, a bit each; verbs and adjectives say which kinds they go with.
using Kinds = std::uint32_t;
namespace kind {
inline constexpr Kinds person = 1 << 0, animal = 1 << 1, place = 1 << 2, object = 1 << 3, opening = 1 << 4, vehicle = 1 << 5,
                       text = 1 << 6, food = 1 << 7, clothing = 1 << 8, event = 1 << 9;
inline constexpr Kinds discipline = 1 << 10, dish = 1 << 11, drink = 1 << 12, game = 1 << 13, instrument = 1 << 14;  // mass
inline constexpr Kinds living = person | animal;
inline constexpr Kinds goods = object | opening | vehicle | text | food | clothing;
inline constexpr Kinds concrete = living | place | goods;
inline constexpr Kinds substance = dish | drink;
}  // namespace kind

/// A common noun. A mass noun has no English plural; one that is plural in French has no French singular.
struct Noun {
  const char* english;
  const char* english_plural;
  const char* french;
  const char* french_plural;
  Gender gender;
  Kinds kind;
  bool is_mass() const { return *english_plural == '\0'; }
  bool always_plural() const { return *french == '\0'; }
};

struct Name {
  const char* text;
  Gender gender;
};

/// French forms by gender and number; `before_vowel` is the masculine singular before a vowel sound (bel, vieil, nouvel).
struct Adjective {
  const char* english;
  const char* masculine;
  const char* feminine;
  const char* masculine_plural;
  const char* feminine_plural;
  const char* before_vowel;
  bool before_noun;
  Kinds kinds;  // of nouns
};

/// How a verb is completed, by which the rules choose it.
enum class Frame : std::uint8_t {
  action,      // a direct object: Je vois le chat
  liking,      // a direct object, or all of a kind: J'aime les chats, j'aime la musique
  learning,    // a discipline: J'étudie la musique
  consuming,   // something countable, or some of a substance: Je bois de l'eau
  wanting,     // the same, without an auxiliary: Je veux de l'eau, j'ai besoin d'eau
  giving,      // a direct object and a recipient: Je donne le livre à la fille
  about,       // a preposition and its object: Je parle du chat
  location,    // a preposition and a place: J'habite dans une maison
  gaming,      // Je joue au football
  performing,  // Je joue du piano
  speaking,    // a language: Je parle français
  bare,        // no object, but a circumstance: Je travaille dans le jardin
  happening,   // of events: Le concert commence à midi
  stating,     // a clause with que: Je pense qu'il dort
  condition,   // be hungry, avoir faim
  being,       // be, être with an adjective
  ageing,      // be N years old, avoir N ans
  auxiliary,   // the infinitive of another verb: Je vais dormir
};

/// A verb with its present tense. `particle` follows the English verb (look FOR, am AFRAID OF), `tail` the French one
/// (ai PEUR de); `preposition` governs the French object.
struct Verb {
  const char* base;   // "look"; "be" has its own forms
  const char* third;  // "looks"
  const char* particle;
  const char* infinitive;
  const char* je;
  const char* il;
  const char* nous;
  const char* vous;
  const char* ils;
  const char* tail;
  const char* preposition;
  Frame frame;
  Kinds subjects;
  Kinds objects;
  bool is_be() const { return std::string_view(base) == "be"; }
};

struct Language {
  const char* english;
  const char* french;
};

std::span<const Noun> nouns();
std::span<const Name> names();
std::span<const Adjective> adjectives();
std::span<const Verb> verbs();
std::span<const Language> languages();
std::span<const char* const> english_days();
std::span<const char* const> french_days();
std::span<const char* const> english_months();
std::span<const char* const> french_months();

/// The entry with this English word (a verb with its particle: "look for"). Throws ValueError.
const Noun& noun(std::string_view english);
const Name& name(std::string_view spelled);
const Adjective& adjective(std::string_view english);
const Verb& verb(std::string_view english, Frame frame);
const Language& language(std::string_view english);

}  // namespace weft::data::grammar
