#include "data/lexicon.hpp"

#include <array>
#include <string>

#include "base/fail.hpp"

namespace weft::data::grammar {
namespace {

using enum Gender;
using namespace kind;

constexpr Noun noun_table[] = {
    {"man", "men", "homme", "hommes", masculine, person},
    {"woman", "women", "femme", "femmes", feminine, person},
    {"boy", "boys", "garçon", "garçons", masculine, person},
    {"girl", "girls", "fille", "filles", feminine, person},
    {"child", "children", "enfant", "enfants", masculine, person},
    {"brother", "brothers", "frère", "frères", masculine, person},
    {"sister", "sisters", "sœur", "sœurs", feminine, person},
    {"father", "fathers", "père", "pères", masculine, person},
    {"mother", "mothers", "mère", "mères", feminine, person},
    {"friend", "friends", "ami", "amis", masculine, person},
    {"neighbor", "neighbors", "voisin", "voisins", masculine, person},
    {"teacher", "teachers", "professeur", "professeurs", masculine, person},
    {"actress", "actresses", "actrice", "actrices", feminine, person},
    {"queen", "queens", "reine", "reines", feminine, person},
    {"cat", "cats", "chat", "chats", masculine, animal},
    {"dog", "dogs", "chien", "chiens", masculine, animal},
    {"horse", "horses", "cheval", "chevaux", masculine, animal},
    {"bird", "birds", "oiseau", "oiseaux", masculine, animal},
    {"cow", "cows", "vache", "vaches", feminine, animal},
    {"mouse", "mice", "souris", "souris", feminine, animal},
    {"owl", "owls", "hibou", "hiboux", masculine, animal},
    {"bear", "bears", "ours", "ours", masculine, animal},
    {"garden", "gardens", "jardin", "jardins", masculine, place},
    {"forest", "forests", "forêt", "forêts", feminine, place},
    {"park", "parks", "parc", "parcs", masculine, place},
    {"house", "houses", "maison", "maisons", feminine, place},
    {"hotel", "hotels", "hôtel", "hôtels", masculine, place},
    {"museum", "museums", "musée", "musées", masculine, place},
    {"church", "churches", "église", "églises", feminine, place},
    {"castle", "castles", "château", "châteaux", masculine, place},
    {"school", "schools", "école", "écoles", feminine, place},
    {"city", "cities", "ville", "villes", feminine, place},
    {"table", "tables", "table", "tables", feminine, object},
    {"chair", "chairs", "chaise", "chaises", feminine, object},
    {"key", "keys", "clé", "clés", feminine, object},
    {"clock", "clocks", "horloge", "horloges", feminine, object},
    {"computer", "computers", "ordinateur", "ordinateurs", masculine, object},
    {"flower", "flowers", "fleur", "fleurs", feminine, object},
    {"window", "windows", "fenêtre", "fenêtres", feminine, opening},
    {"door", "doors", "porte", "portes", feminine, opening},
    {"box", "boxes", "boîte", "boîtes", feminine, opening},
    {"bag", "bags", "sac", "sacs", masculine, opening},
    {"car", "cars", "voiture", "voitures", feminine, vehicle},
    {"boat", "boats", "bateau", "bateaux", masculine, vehicle},
    {"train", "trains", "train", "trains", masculine, vehicle},
    {"plane", "planes", "avion", "avions", masculine, vehicle},
    {"book", "books", "livre", "livres", masculine, text},
    {"letter", "letters", "lettre", "lettres", feminine, text},
    {"newspaper", "newspapers", "journal", "journaux", masculine, text},
    {"story", "stories", "histoire", "histoires", feminine, text},
    {"apple", "apples", "pomme", "pommes", feminine, food},
    {"egg", "eggs", "œuf", "œufs", masculine, food},
    {"cake", "cakes", "gâteau", "gâteaux", masculine, food},
    {"hat", "hats", "chapeau", "chapeaux", masculine, clothing},
    {"dress", "dresses", "robe", "robes", feminine, clothing},
    {"shirt", "shirts", "chemise", "chemises", feminine, clothing},
    {"concert", "concerts", "concert", "concerts", masculine, event},
    {"party", "parties", "fête", "fêtes", feminine, event},
    {"exam", "exams", "examen", "examens", masculine, event},
    {"meeting", "meetings", "réunion", "réunions", feminine, event},
    {"programming", "", "programmation", "", feminine, discipline},
    {"music", "", "musique", "", feminine, discipline},
    {"history", "", "histoire", "", feminine, discipline},
    {"mathematics", "", "", "mathématiques", feminine, discipline},
    {"physics", "", "physique", "", feminine, discipline},
    {"poetry", "", "poésie", "", feminine, discipline},
    {"art", "", "art", "", masculine, discipline},
    {"painting", "", "peinture", "", feminine, discipline},
    {"dancing", "", "danse", "", feminine, discipline},
    {"swimming", "", "natation", "", feminine, discipline},
    {"drawing", "", "dessin", "", masculine, discipline},
    {"bread", "", "pain", "", masculine, dish},
    {"cheese", "", "fromage", "", masculine, dish},
    {"meat", "", "viande", "", feminine, dish},
    {"rice", "", "riz", "", masculine, dish},
    {"soup", "", "soupe", "", feminine, dish},
    {"water", "", "eau", "", feminine, drink},
    {"coffee", "", "café", "", masculine, drink},
    {"tea", "", "thé", "", masculine, drink},
    {"milk", "", "lait", "", masculine, drink},
    {"beer", "", "bière", "", feminine, drink},
    {"football", "", "football", "", masculine, game},
    {"tennis", "", "tennis", "", masculine, game},
    {"chess", "", "", "échecs", masculine, game},
    {"piano", "", "piano", "", masculine, instrument},
    {"guitar", "", "guitare", "", feminine, instrument},
    {"harp", "", "harpe", "", feminine, instrument},
};

constexpr Name name_table[] = {
    {"Paul", masculine}, {"Martin", masculine}, {"Oscar", masculine},
    {"Marie", feminine}, {"Julie", feminine},   {"Alice", feminine},
};

// English, masculine, feminine, their plurals, masculine before a vowel sound, stands before the noun, kinds.
constexpr Adjective adjective_table[] = {
    {"small", "petit", "petite", "petits", "petites", "petit", true, concrete},
    {"big", "grand", "grande", "grands", "grandes", "grand", true, concrete},
    {"beautiful", "beau", "belle", "beaux", "belles", "bel", true, concrete | event},
    {"old", "vieux", "vieille", "vieux", "vieilles", "vieil", true,
     living | place | object | opening | vehicle | text | clothing},
    {"new", "nouveau", "nouvelle", "nouveaux", "nouvelles", "nouvel", true,
     living | place | object | opening | vehicle | text | clothing},
    {"young", "jeune", "jeune", "jeunes", "jeunes", "jeune", true, living},
    {"good", "bon", "bonne", "bons", "bonnes", "bon", true, person | place | text | food | event | substance},
    {"bad", "mauvais", "mauvaise", "mauvais", "mauvaises", "mauvais", true, living | place | text | food | event | substance},
    {"red", "rouge", "rouge", "rouges", "rouges", "rouge", false, object | opening | vehicle | food | clothing},
    {"green", "vert", "verte", "verts", "vertes", "vert", false, object | opening | vehicle | food | clothing},
    {"black", "noir", "noire", "noirs", "noires", "noir", false, animal | object | opening | vehicle | clothing},
    {"white", "blanc", "blanche", "blancs", "blanches", "blanc", false, animal | place | object | opening | vehicle | clothing},
    {"happy", "heureux", "heureuse", "heureux", "heureuses", "heureux", false, living},
    {"sad", "triste", "triste", "tristes", "tristes", "triste", false, living | text},
    {"tired", "fatigué", "fatiguée", "fatigués", "fatiguées", "fatigué", false, living},
    {"famous", "célèbre", "célèbre", "célèbres", "célèbres", "célèbre", false, person | place | text},
    {"intelligent", "intelligent", "intelligente", "intelligents", "intelligentes", "intelligent", false, living},
    {"interesting", "intéressant", "intéressante", "intéressants", "intéressantes", "intéressant", false,
     person | place | text | event | discipline},
    {"expensive", "cher", "chère", "chers", "chères", "cher", false, goods | substance},
    {"modern", "moderne", "moderne", "modernes", "modernes", "moderne", false, place | object | vehicle},
    {"difficult", "difficile", "difficile", "difficiles", "difficiles", "difficile", false, text | event | discipline},
    {"useful", "utile", "utile", "utiles", "utiles", "utile", false, object | opening | vehicle | text | discipline},
    {"French", "français", "française", "français", "françaises", "français", false, person | place | goods},
    {"Italian", "italien", "italienne", "italiens", "italiennes", "italien", false, person | place | goods},
};

// base, third person, particle; infinitive, je, il, nous, vous, ils, tail, preposition; frame, subjects, objects.
constexpr Verb verb_table[] = {
    {"see", "sees", "", "voir", "vois", "voit", "voyons", "voyez", "voient", "", "", Frame::action, living, concrete},
    {"look", "looks", "for", "chercher", "cherche", "cherche", "cherchons", "cherchez", "cherchent", "", "", Frame::action,
     living, concrete},
    {"hear", "hears", "", "entendre", "entends", "entend", "entendons", "entendez", "entendent", "", "", Frame::action, living,
     living},
    {"wait", "waits", "for", "attendre", "attends", "attend", "attendons", "attendez", "attendent", "", "", Frame::action,
     person, person | vehicle},
    {"help", "helps", "", "aider", "aide", "aide", "aidons", "aidez", "aident", "", "", Frame::action, person, person},
    {"know", "knows", "", "connaître", "connais", "connaît", "connaissons", "connaissez", "connaissent", "", "", Frame::action,
     person, person | place},
    {"visit", "visits", "", "visiter", "visite", "visite", "visitons", "visitez", "visitent", "", "", Frame::action, person,
     place},
    {"wash", "washes", "", "laver", "lave", "lave", "lavons", "lavez", "lavent", "", "", Frame::action, person,
     animal | vehicle | clothing},
    {"open", "opens", "", "ouvrir", "ouvre", "ouvre", "ouvrons", "ouvrez", "ouvrent", "", "", Frame::action, person, opening},
    {"close", "closes", "", "fermer", "ferme", "ferme", "fermons", "fermez", "ferment", "", "", Frame::action, person, opening},
    {"read", "reads", "", "lire", "lis", "lit", "lisons", "lisez", "lisent", "", "", Frame::action, person, text},
    {"write", "writes", "", "écrire", "écris", "écrit", "écrivons", "écrivez", "écrivent", "", "", Frame::action, person, text},
    {"have", "has", "", "avoir", "ai", "a", "avons", "avez", "ont", "", "", Frame::action, person, living | goods},
    {"love", "loves", "", "aimer", "aime", "aime", "aimons", "aimez", "aiment", "", "", Frame::liking, person,
     concrete | discipline | substance},
    {"prefer", "prefers", "", "préférer", "préfère", "préfère", "préférons", "préférez", "préfèrent", "", "", Frame::liking,
     person, animal | place | goods | discipline | substance},
    {"hate", "hates", "", "détester", "déteste", "déteste", "détestons", "détestez", "détestent", "", "", Frame::liking, person,
     concrete | discipline | substance},
    {"study", "studies", "", "étudier", "étudie", "étudie", "étudions", "étudiez", "étudient", "", "", Frame::learning, person,
     discipline},
    {"learn", "learns", "", "apprendre", "apprends", "apprend", "apprenons", "apprenez", "apprennent", "", "", Frame::learning,
     person, discipline},
    {"teach", "teaches", "", "enseigner", "enseigne", "enseigne", "enseignons", "enseignez", "enseignent", "", "",
     Frame::learning, person, discipline},
    {"buy", "buys", "", "acheter", "achète", "achète", "achetons", "achetez", "achètent", "", "", Frame::consuming, person,
     animal | goods | substance},
    {"eat", "eats", "", "manger", "mange", "mange", "mangeons", "mangez", "mangent", "", "", Frame::consuming, living,
     food | dish},
    {"drink", "drinks", "", "boire", "bois", "boit", "buvons", "buvez", "boivent", "", "", Frame::consuming, living, drink},
    {"want", "wants", "", "vouloir", "veux", "veut", "voulons", "voulez", "veulent", "", "", Frame::wanting, person,
     animal | goods | substance},
    {"need", "needs", "", "avoir", "ai", "a", "avons", "avez", "ont", "besoin", "de", Frame::wanting, person,
     goods | substance},
    {"give", "gives", "", "donner", "donne", "donne", "donnons", "donnez", "donnent", "", "", Frame::giving, person, goods},
    {"show", "shows", "", "montrer", "montre", "montre", "montrons", "montrez", "montrent", "", "", Frame::giving, person,
     goods},
    {"talk", "talks", "about", "parler", "parle", "parle", "parlons", "parlez", "parlent", "", "de", Frame::about, person,
     concrete | event},
    {"talk", "talks", "to", "parler", "parle", "parle", "parlons", "parlez", "parlent", "", "à", Frame::about, person, living},
    {"think", "thinks", "about", "penser", "pense", "pense", "pensons", "pensez", "pensent", "", "à", Frame::about, person,
     concrete | event},
    {"be", "is", "afraid of", "avoir", "ai", "a", "avons", "avez", "ont", "peur", "de", Frame::about, living, living},
    {"go", "goes", "to", "aller", "vais", "va", "allons", "allez", "vont", "", "à", Frame::location, person, place},
    {"come", "comes", "from", "venir", "viens", "vient", "venons", "venez", "viennent", "", "de", Frame::location, person,
     place},
    {"live", "lives", "in", "habiter", "habite", "habite", "habitons", "habitez", "habitent", "", "dans", Frame::location,
     person, place},
    {"play", "plays", "", "jouer", "joue", "joue", "jouons", "jouez", "jouent", "", "à", Frame::gaming, person, game},
    {"play", "plays", "", "jouer", "joue", "joue", "jouons", "jouez", "jouent", "", "de", Frame::performing, person,
     instrument},
    {"speak", "speaks", "", "parler", "parle", "parle", "parlons", "parlez", "parlent", "", "", Frame::speaking, person, 0},
    {"sleep", "sleeps", "", "dormir", "dors", "dort", "dormons", "dormez", "dorment", "", "", Frame::bare, living, 0},
    {"work", "works", "", "travailler", "travaille", "travaille", "travaillons", "travaillez", "travaillent", "", "",
     Frame::bare, person, 0},
    {"sing", "sings", "", "chanter", "chante", "chante", "chantons", "chantez", "chantent", "", "", Frame::bare, person, 0},
    {"dance", "dances", "", "danser", "danse", "danse", "dansons", "dansez", "dansent", "", "", Frame::bare, person, 0},
    {"run", "runs", "", "courir", "cours", "court", "courons", "courez", "courent", "", "", Frame::bare, living, 0},
    {"arrive", "arrives", "", "arriver", "arrive", "arrive", "arrivons", "arrivez", "arrivent", "", "", Frame::bare, person, 0},
    {"start", "starts", "", "commencer", "commence", "commence", "commençons", "commencez", "commencent", "", "",
     Frame::happening, event, 0},
    {"end", "ends", "", "finir", "finis", "finit", "finissons", "finissez", "finissent", "", "", Frame::happening, event, 0},
    {"be", "is", "", "être", "suis", "est", "sommes", "êtes", "sont", "", "", Frame::happening, event, 0},
    {"think", "thinks", "", "penser", "pense", "pense", "pensons", "pensez", "pensent", "", "", Frame::stating, person, 0},
    {"know", "knows", "", "savoir", "sais", "sait", "savons", "savez", "savent", "", "", Frame::stating, person, 0},
    {"be", "is", "hungry", "avoir", "ai", "a", "avons", "avez", "ont", "faim", "", Frame::condition, living, 0},
    {"be", "is", "thirsty", "avoir", "ai", "a", "avons", "avez", "ont", "soif", "", Frame::condition, living, 0},
    {"be", "is", "cold", "avoir", "ai", "a", "avons", "avez", "ont", "froid", "", Frame::condition, living, 0},
    {"be", "is", "right", "avoir", "ai", "a", "avons", "avez", "ont", "raison", "", Frame::condition, person, 0},
    {"be", "is", "wrong", "avoir", "ai", "a", "avons", "avez", "ont", "tort", "", Frame::condition, person, 0},
    {"be", "is", "", "être", "suis", "est", "sommes", "êtes", "sont", "", "", Frame::being, ~Kinds{0}, 0},
    {"be", "is", "", "avoir", "ai", "a", "avons", "avez", "ont", "", "", Frame::ageing, living, 0},
    {"be", "is", "going to", "aller", "vais", "va", "allons", "allez", "vont", "", "", Frame::auxiliary, ~Kinds{0}, 0},
    {"want", "wants", "to", "vouloir", "veux", "veut", "voulons", "voulez", "veulent", "", "", Frame::auxiliary, living, 0},
    {"can", "can", "", "pouvoir", "peux", "peut", "pouvons", "pouvez", "peuvent", "", "", Frame::auxiliary, living, 0},
    {"must", "must", "", "devoir", "dois", "doit", "devons", "devez", "doivent", "", "", Frame::auxiliary, ~Kinds{0}, 0},
};

constexpr Language language_table[] = {{"French", "français"}, {"English", "anglais"}, {"Italian", "italien"}};

constexpr std::array<const char*, 7> english_day_table = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                          "Friday", "Saturday", "Sunday"};
constexpr std::array<const char*, 7> french_day_table = {"lundi",    "mardi",  "mercredi", "jeudi",
                                                         "vendredi", "samedi", "dimanche"};
constexpr std::array<const char*, 12> english_month_table = {
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"};
constexpr std::array<const char*, 12> french_month_table = {
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"};

template <class Entry, class Matches>
const Entry& find(std::span<const Entry> table, std::string_view word, Matches matches) {
  for (const Entry& entry : table)
    if (matches(entry)) return entry;
  fail<ValueError>("grammar", "'{}' is not in the lexicon", word);
}

}  // namespace

std::span<const Noun> nouns() { return noun_table; }
std::span<const Name> names() { return name_table; }
std::span<const Adjective> adjectives() { return adjective_table; }
std::span<const Verb> verbs() { return verb_table; }
std::span<const Language> languages() { return language_table; }
std::span<const char* const> english_days() { return english_day_table; }
std::span<const char* const> french_days() { return french_day_table; }
std::span<const char* const> english_months() { return english_month_table; }
std::span<const char* const> french_months() { return french_month_table; }

const Noun& noun(std::string_view english) {
  return find(nouns(), english, [&](const Noun& entry) { return entry.english == english; });
}

const Name& name(std::string_view spelled) {
  return find(names(), spelled, [&](const Name& entry) { return entry.text == spelled; });
}

const Adjective& adjective(std::string_view english) {
  return find(adjectives(), english, [&](const Adjective& entry) { return entry.english == english; });
}

const Verb& verb(std::string_view english, Frame frame) {
  return find(verbs(), english, [&](const Verb& entry) {
    std::string whole = entry.base;
    if (*entry.particle != '\0') whole.append(" ").append(entry.particle);
    return entry.frame == frame && whole == english;
  });
}

const Language& language(std::string_view english) {
  return find(languages(), english, [&](const Language& entry) { return entry.english == english; });
}

}  // namespace weft::data::grammar
