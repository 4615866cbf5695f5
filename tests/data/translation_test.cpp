// Pairs checked by hand against French grammar, one group for each thing that the two languages do differently.
#include <doctest/doctest.h>

#include "data/sentences.hpp"

using namespace weft::test::sentences;

namespace {

void expect(const Sentence& sentence, const char* in_english, const char* in_french) {
  CHECK(english(sentence) == in_english);
  CHECK(french(sentence) == in_french);
}

void expect(const Clause& clause, const char* in_english, const char* in_french) {
  expect(Sentence{.first = clause}, in_english, in_french);
}

Circumstance at_place(const char* place) { return {.kind = Circumstance::inside, .phrase = the(place)}; }
Circumstance with_person(NounPhrase person) { return {.kind = Circumstance::with, .phrase = person}; }
Circumstance on_date(int day, int month, int weekday = -1) {
  return {.kind = Circumstance::date, .day_of_week = weekday, .day = day, .month = month - 1};
}
Circumstance at_time(int hour) { return {.kind = Circumstance::clock, .hour = hour}; }

}  // namespace

TEST_CASE("mass nouns and whole kinds take the definite article") {
  expect(say(i, "love", Frame::liking, all_of("programming")), "I love programming.", "J'aime la programmation.");
  expect(say(she, "hate", Frame::liking, all_of("music")), "She hates music.", "Elle déteste la musique.");
  expect(say(we, "prefer", Frame::liking, all_of("cat")), "We prefer cats.", "Nous préférons les chats.");
  expect(not_(say(he, "love", Frame::liking, all_of("water"))), "He doesn't love water.", "Il n'aime pas l'eau.");
  expect(say(they, "study", Frame::learning, all_of("mathematics")), "They study mathematics.",
         "Ils étudient les mathématiques.");
  expect(is(all_of("mathematics"), "difficult"), "Mathematics is difficult.", "Les mathématiques sont difficiles.");
  expect(is(all_of("art"), "interesting"), "Art is interesting.", "L'art est intéressant.");
}

TEST_CASE("the article partitive, and what negation and de make of it") {
  expect(say(i, "drink", Frame::consuming, some("water")), "I drink water.", "Je bois de l'eau.");
  expect(say(he, "eat", Frame::consuming, some("bread")), "He eats bread.", "Il mange du pain.");
  expect(say(we, "eat", Frame::consuming, some("soup")), "We eat soup.", "Nous mangeons de la soupe.");
  expect(not_(say(i, "drink", Frame::consuming, some("water"))), "I don't drink water.", "Je ne bois pas d'eau.");
  expect(no_longer(say(you, "buy", Frame::consuming, some("cheese"))), "You no longer buy cheese.",
         "Vous n'achetez plus de fromage.");
  expect(say(i, "need", Frame::wanting, some("water")), "I need water.", "J'ai besoin d'eau.");
  expect(say(i, "need", Frame::wanting, plural(a("book"))), "I need some books.", "J'ai besoin de livres.");
  expect(say(she, "need", Frame::wanting, the("key")), "She needs the key.", "Elle a besoin de la clé.");
  expect(not_(action(i, "have", a("cat"))), "I don't have a cat.", "Je n'ai pas de chat.");
  expect(never(action(he, "read", plural(a("book")))), "He never reads any books.", "Il ne lit jamais de livres.");
}

TEST_CASE("adjectives: their place and their agreement") {
  expect(action(i, "see", described("red", the("car"))), "I see the red car.", "Je vois la voiture rouge.");
  expect(action(i, "see", described("white", plural(the("house")))), "I see the white houses.",
         "Je vois les maisons blanches.");
  expect(action(i, "see", described("small", described("black", a("dog")))), "I see a small black dog.",
         "Je vois un petit chien noir.");
  expect(action(i, "see", described("old", a("man"))), "I see an old man.", "Je vois un vieil homme.");
  expect(action(i, "see", described("beautiful", a("bird"))), "I see a beautiful bird.", "Je vois un bel oiseau.");
  expect(action(i, "see", described("new", the("hotel"))), "I see the new hotel.", "Je vois le nouvel hôtel.");
  expect(action(i, "see", described("old", a("owl"))), "I see an old owl.", "Je vois un vieux hibou.");
  expect(action(i, "see", described("beautiful", plural(the("horse")))), "I see the beautiful horses.",
         "Je vois les beaux chevaux.");
  expect(action(i, "see", described("small", plural(a("cat")))), "I see some small cats.", "Je vois de petits chats.");
  expect(action(i, "see", described("black", plural(a("cat")))), "I see some black cats.", "Je vois des chats noirs.");
  expect(is(plural(the("woman")), "happy"), "The women are happy.", "Les femmes sont heureuses.");
  expect(with(is(the("house"), "expensive"), Degree::very), "The house is very expensive.", "La maison est très chère.");
  expect(is(we, "tired"), "We are tired.", "Nous sommes fatigués.");
  expect(is(you, "big"), "You are big.", "Vous êtes grand.");
}

TEST_CASE("elision, and the words that forbid it") {
  expect(action(the("man"), "open", the("door")), "The man opens the door.", "L'homme ouvre la porte.");
  expect(say(i, "live in", Frame::location, the("school")), "I live in the school.", "J'habite dans l'école.");
  expect(action(the("owl"), "see", the("mouse")), "The owl sees the mouse.", "Le hibou voit la souris.");
  expect(say(i, "play", Frame::performing, the("harp")), "I play the harp.", "Je joue de la harpe.");
  expect(action(named("Alice"), "see", my("school")), "Alice sees my school.", "Alice voit mon école.");
  expect(action(i, "know", phrase(Determiner::this_, "man")), "I know this man.", "Je connais cet homme.");
  expect(action(i, "know", phrase(Determiner::this_, "woman")), "I know this woman.", "Je connais cette femme.");
  expect(action(i, "know", described("famous", phrase(Determiner::his, "story"))), "I know his famous story.",
         "Je connais son histoire célèbre.");
  expect(both(say(i, "think", Frame::stating), Connector::that, say(he, "sleep", Frame::bare)), "I think that he sleeps.",
         "Je pense qu'il dort.");
}

TEST_CASE("negation stands around the verb") {
  expect(not_(action(i, "see", the("cat"))), "I don't see the cat.", "Je ne vois pas le chat.");
  expect(never(say(she, "work", Frame::bare)), "She never works.", "Elle ne travaille jamais.");
  expect(no_longer(action(they, "wait for", named("Paul"))), "They no longer wait for Paul.", "Ils n'attendent plus Paul.");
  expect(not_(is(the("window"), "green")), "The window isn't green.", "La fenêtre n'est pas verte.");
  expect(not_(is(i, "sad")), "I am not sad.", "Je ne suis pas triste.");
  expect(auxiliary("can", not_(say(i, "sleep", Frame::bare))), "I can't sleep.", "Je ne peux pas dormir.");
  expect(auxiliary("must", not_(action(you, "open", the("box")))), "You must not open the box.",
         "Vous ne devez pas ouvrir la boîte.");
}

TEST_CASE("object pronouns stand before the verb") {
  expect(action(i, "see", Pronoun::he), "I see him.", "Je le vois.");
  expect(not_(action(i, "see", Pronoun::they)), "I don't see them.", "Je ne les vois pas.");
  expect(no_longer(action(he, "hear", Pronoun::she)), "He no longer hears her.", "Il ne l'entend plus.");
  expect(action(they, "help", Pronoun::we), "They help us.", "Ils nous aident.");
  expect(not_(action(she, "help", Pronoun::i)), "She doesn't help me.", "Elle ne m'aide pas.");
  expect(auxiliary("want to", action(we, "see", Pronoun::you)), "We want to see you.", "Nous voulons vous voir.");
  expect(auxiliary("be going to", not_(action(i, "wait for", Pronoun::he))), "I am not going to wait for him.",
         "Je ne vais pas l'attendre.");
  expect(to(Pronoun::she, say(he, "give", Frame::giving, the("letter"))), "He gives her the letter.",
         "Il lui donne la lettre.");
  expect(not_(to(Pronoun::they, say(i, "show", Frame::giving, my("house")))), "I don't show them my house.",
         "Je ne leur montre pas ma maison.");
  expect(with(with(say(i, "dance", Frame::bare), with_person(pronoun(Pronoun::they))), Frequency::often),
         "I often dance with them.", "Je danse souvent avec eux.");
}

TEST_CASE("contractions of de and à with the article") {
  expect(say(we, "go to", Frame::location, the("museum")), "We go to the museum.", "Nous allons au musée.");
  expect(say(he, "come from", Frame::location, the("castle")), "He comes from the castle.", "Il vient du château.");
  expect(say(he, "come from", Frame::location, the("hotel")), "He comes from the hotel.", "Il vient de l'hôtel.");
  expect(say(i, "be afraid of", Frame::about, all_of("bear")), "I am afraid of bears.", "J'ai peur des ours.");
  expect(not_(say(she, "be afraid of", Frame::about, the("dog"))), "She isn't afraid of the dog.",
         "Elle n'a pas peur du chien.");
  expect(say(they, "play", Frame::gaming, all_of("chess")), "They play chess.", "Ils jouent aux échecs.");
  expect(say(you, "play", Frame::performing, the("piano")), "You play the piano.", "Vous jouez du piano.");
  expect(to(the("child"), say(i, "give", Frame::giving, a("apple"))), "I give an apple to the child.",
         "Je donne une pomme à l'enfant.");
  expect(action(i, "read", owned(owner(Determiner::the, "neighbor"), the("book"))), "I read the neighbor's book.",
         "Je lis le livre du voisin.");
  expect(action(i, "wash", owned(owner("Alice"), described("red", the("dress")))), "I wash Alice's red dress.",
         "Je lave la robe rouge d'Alice.");
}

TEST_CASE("numbers, dates, times and ages") {
  expect(action(i, "have", count(3, "cat")), "I have three cats.", "J'ai trois chats.");
  expect(action(he, "have", count(21, "cow")), "He has twenty-one cows.", "Il a vingt et une vaches.");
  expect(not_(action(he, "have", count(8, "horse"))), "He doesn't have eight horses.", "Il n'a pas huit chevaux.");
  expect(with(say(the("exam"), "start", Frame::happening), on_date(3, 3)), "The exam starts on the third of March.",
         "L'examen commence le trois mars.");
  expect(with(say(the("party"), "be", Frame::happening), on_date(1, 5, 0)), "The party is on Monday the first of May.",
         "La fête est le lundi premier mai.");
  expect(with(past(say(the("concert"), "be", Frame::happening)), on_date(11, 8)), "The concert was on the eleventh of August.",
         "Le concert était le onze août.");
  expect(with(say(she, "arrive", Frame::bare), at_time(1)), "She arrives at one o'clock.", "Elle arrive à une heure.");
  expect(with(say(we, "work", Frame::bare), Circumstance{.kind = Circumstance::weekdays, .day_of_week = 6}),
         "We work on Sundays.", "Nous travaillons le dimanche.");
  expect(aged(named("Marie"), 81), "Marie is eighty-one years old.", "Marie a quatre-vingt-un ans.");
  expect(past(aged(my("brother"), 20)), "My brother was twenty years old.", "Mon frère avait vingt ans.");
}

TEST_CASE("be and have, there is, questions, relative clauses") {
  expect(say(i, "be hungry", Frame::condition), "I am hungry.", "J'ai faim.");
  expect(past(not_(say(we, "be cold", Frame::condition))), "We weren't cold.", "Nous n'avions pas froid.");
  expect(with(there_is(plural(a("flower"))), at_place("garden")), "There are some flowers in the garden.",
         "Il y a des fleurs dans le jardin.");
  expect(with(not_(there_is(a("bird"))), at_place("forest")), "There isn't a bird in the forest.",
         "Il n'y a pas d'oiseau dans la forêt.");
  expect(with(there_is(plural(phrase(Determiner::many, "child"))), at_place("park")), "There are many children in the park.",
         "Il y a beaucoup d'enfants dans le parc.");
  expect(question(say(you, "love", Frame::liking, all_of("poetry"))), "Do you love poetry?",
         "Est-ce que vous aimez la poésie ?");
  expect(question(auxiliary("can", action(she, "hear", Pronoun::i))), "Can she hear me?", "Est-ce qu'elle peut m'entendre ?");
  expect(question(auxiliary("be going to", say(named("Oscar"), "eat", Frame::consuming, some("meat")))),
         "Is Oscar going to eat meat?", "Est-ce qu'Oscar va manger de la viande ?");
  expect(Sentence{.first = {.subject = plural(the("key"))}, .form = Form::where}, "Where are the keys?", "Où sont les clés ?");
  NounPhrase dancers = plural(the("girl"));
  dancers.who = &verb("dance", Frame::bare);
  expect(is(dancers, "intelligent"), "The girls who dance are intelligent.", "Les filles qui dansent sont intelligentes.");
  expect(with(is(plural(phrase(Determiner::all, "key")), "useful"), Frequency::always), "All the keys are always useful.",
         "Toutes les clés sont toujours utiles.");
}

TEST_CASE("two clauses, and pronouns that take up a noun") {
  expect(both(is(the("house"), "old"), Connector::but, is(pronoun(Pronoun::it_feminine), "beautiful")),
         "The house is old but it is beautiful.", "La maison est vieille mais elle est belle.");
  expect(both(action(named("Paul"), "open", the("box")), Connector::and_, action(i, "close", Pronoun::it_feminine)),
         "Paul opens the box and I close it.", "Paul ouvre la boîte et je la ferme.");
  expect(both(say(plural(the("girl")), "sing", Frame::bare), Connector::because, is(pronoun(Pronoun::they_feminine), "happy")),
         "The girls sing because they are happy.", "Les filles chantent parce qu'elles sont heureuses.");
  expect(both(say(i, "sing", Frame::bare), Connector::when, say(i, "work", Frame::bare)), "I sing when I work.",
         "Je chante quand je travaille.");
  expect(both(say(he, "run", Frame::bare), Connector::if_, say(he, "be afraid of", Frame::about, the("bear"))),
         "He runs if he is afraid of the bear.", "Il court s'il a peur de l'ours.");
  expect(both(say(she, "sleep", Frame::bare), Connector::if_, is(she, "tired")), "She sleeps if she is tired.",
         "Elle dort si elle est fatiguée.");
  expect(both(not_(say(we, "speak", Frame::speaking)), Connector::and_,
              with(say(they, "talk about", Frame::about, the("plane")), at_time(0))),
         "We don't speak and they talk about the plane at midnight.",
         "Nous ne parlons pas et ils parlent de l'avion à minuit.");
}

TEST_CASE("number words") {
  CHECK(english_number(2) == "two");
  CHECK(english_number(40) == "forty");
  CHECK(english_number(99) == "ninety-nine");
  CHECK(english_ordinal(1) == "first");
  CHECK(english_ordinal(12) == "twelfth");
  CHECK(english_ordinal(20) == "twentieth");
  CHECK(english_ordinal(22) == "twenty-second");
  const auto masculine = [](int n) { return french_number(n, Gender::masculine); };
  CHECK(masculine(1) == "un");
  CHECK(french_number(1, Gender::feminine) == "une");
  CHECK(masculine(16) == "seize");
  CHECK(masculine(17) == "dix-sept");
  CHECK(masculine(21) == "vingt et un");
  CHECK(french_number(31, Gender::feminine) == "trente et une");
  CHECK(masculine(22) == "vingt-deux");
  CHECK(masculine(70) == "soixante-dix");
  CHECK(masculine(71) == "soixante et onze");
  CHECK(french_number(71, Gender::feminine) == "soixante et onze");
  CHECK(masculine(79) == "soixante-dix-neuf");
  CHECK(masculine(80) == "quatre-vingts");
  CHECK(french_number(81, Gender::feminine) == "quatre-vingt-une");
  CHECK(masculine(91) == "quatre-vingt-onze");
  CHECK(masculine(99) == "quatre-vingt-dix-neuf");
}
