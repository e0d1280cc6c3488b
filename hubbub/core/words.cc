// The two word lists, written as running text and cut into words by the compiler, which also checks what
// lookups rely on: exact count and strict order. tests/unit/core/words_test.cc checks the other promises.
#include "hubbub/core/words.h"

#include <algorithm>
#include <array>
#include <functional>

#include "hubbub/base/assert.h"

namespace hubbub {
namespace {

using WordList = std::array<std::string_view, kWordsPerList>;

constexpr std::string_view kAdjectiveText =
    "able absolute abstract abundant academic accurate acoustic acrobatic active adaptable adaptive "
    "admirable adorable advanced aerial affable afloat ageless agile aglow agreeable airborne airy alert "
    "alpine amazing amber ambient ambitious amiable ample amused analog ancient animated annual antique "
    "apricot aquatic arched arctic ardent artful artistic aspiring assured astral astute athletic "
    "attentive authentic automatic autumnal avid awake awesome azure balanced balmy bamboo basic beaming "
    "beautiful beige beloved beneficial billowing blinking blissful blossoming blue blushing bobbing bold "
    "bookish boreal bouncy boundless bountiful braided branching brave breezy bright brilliant brimming "
    "brindled brisk broad bronze brotherly bubbly budding building buoyant burnished bustling busy buzzing "
    "calm camping candid candlelit canny capable carefree careful caring carmine cascading casual catchy "
    "cautious celebrated celestial centennial centered central ceramic certain changing charcoal charming "
    "chatty cheerful cherished chiming chipper chirpy chiseled choice choral chromatic chuckling cinnamon "
    "circular citrus civic classic classy clear clever climbing cloudless cloudy coastal coasting cobalt "
    "collected colorful colossal comfy compact competent complete concise confident connected consistent "
    "constant cool copious copper cordial corduroy cosmic cottony countless courageous courteous cozy "
    "crafty creative crescent crested crimson crowned cruising crystal cubic cuddly cultured curious curly "
    "curved cushioned custom cute cyan cyclic cycling dainty dancing dapper dappled dashing dauntless "
    "daytime dazzling debonair decent decisive decorated dedicated deep deft delicate delightful deluxe "
    "denim dependable desert detailed determined devoted dewy diagonal diamond digital dignified diligent "
    "diplomatic direct distant distinct doodling dotted double downtown downy dozing dramatic draped "
    "dreaming dreamy drifting driftwood drizzly drumming durable dutiful dynamic eager earnest earthbound "
    "earthy eastern easy easygoing eclectic educated effective efficient effortless elaborate elastic "
    "elated electric elegant elemental elevated elfin eloquent emerald eminent enchanted encouraged "
    "endless enduring energetic engaged engaging engraved enigmatic enjoyable epic equal essential etched "
    "eternal ethical even eventful evergreen everyday evident evolving excellent excited exemplary "
    "expansive expert exploring expressive extra exuberant fabled fabulous faceted fair faithful famed "
    "familiar famous fanciful fancy fantastic fast fearless feathery featured fervent festive fiddling "
    "fine finished first fitting fleecy fleet flexible floating floral flowery fluent fluffy fluid flying "
    "foamy focused foggy folksy fond foraging foremost forested formidable fortunate forward fourfold "
    "fractal fragrant free frequent fresh freshwater friendly frilly fringed frolicking frosted frosty "
    "frothy frugal fruitful fun funky futuristic fuzzy galactic gallant galloping gardening garnet gazing "
    "generous genial gentle genuine geometric giddy gifted giggling gilded gingham giving glacial glad "
    "glamorous gleaming gleeful gliding glittery global glorious glossy glowing golden gorgeous graceful "
    "gracious grand granite granular graphic grassy gray great green greeting gregarious grinning groovy "
    "grounded gusty halcyon handmade handsome handwoven happy hardy harmless harmonic hazel hazy healthy "
    "heartfelt hearty heather helpful helping herbal heroic hexagonal hidden highland hiking hilarious "
    "hillside hilly historic homegrown homespun homeward honest honeyed honorable hopeful hopping "
    "horizontal hospitable hovering huggable humble humming humorous hushed iconic icy ideal idyllic "
    "imaginary immense impartial impressive improved incredible indigo indoor infinite informal ingenious "
    "innovative insightful inspired instant interested intrepid intuitive inventive invincible inviting "
    "ironclad island jade jasper jaunty jazzy jeweled jigsaw jingling jogging jolly jovial joyful jubilant "
    "juggling jumping keen kind kindred kinetic knitted lacy lakeside lamplit lasting laughing lavender "
    "lavish layered leafy leaping learned legendary leisurely lemon lenient lifelong light likable lilac "
    "lilting limber lime limitless linear linen listening little lively lofty logical looping lovable "
    "lowland loyal lucid lucky luminous lunar luxurious lyrical magenta magic magical magnetic majestic "
    "marching marigold marine maritime maroon marvelous masked masterful mauve meadowy meandering "
    "meaningful measured medieval mellow melodic memorable merry metallic methodical midsummer mighty mild "
    "mindful miniature minimal mint mirrored mirthful misty mobile moderate modern modest modular "
    "momentous monumental moonlit mossy motivated mountain moving musical mutual mystical mythical napping "
    "natural nautical nearby neat neighborly neon nested new newfound nice nifty nimble noble nocturnal "
    "nodding nomadic nonstop northern nostalgic notable noteworthy novel numerous obliging observant "
    "oceanic octagonal offbeat offshore olive onward onyx open optical optimistic orange orbital orbiting "
    "orchestral orderly original ornate outdoor outgoing outspoken oval overjoyed pacific paddling painted "
    "painting palatial panoramic parading parallel pastel pastoral patchwork patient patterned peaceful "
    "peachy pearly pebbled peppermint peppy perceptive perennial perfect persistent pewter phenomenal "
    "photogenic pink pinstriped placid planetary platinum playful pleasant pleasing plentiful plum plumed "
    "plush poetic poised polished polite popular portable positive powdery powerful practical prancing "
    "precious precise premium primary prime prismatic pristine prized productive prominent promising "
    "prompt proper prosperous proud proven prudent punchy punctual purple purring puzzling quaint quantum "
    "quartz questing quick quiet quilted quirky racing radiant rainproof rainy rambling rapid rare "
    "raspberry rational reading ready realistic reasonable red reflective refreshing regal regional "
    "regular rejoicing relaxed reliable remarkable renowned resilient resolute resonant respectful resting "
    "retro rippling rising riverside roadside roaming robust rocky rolling roomy rosy rotating rowing ruby "
    "rugged running rural russet rustic safe saffron sandy sapphire satin savvy scalloped scampering "
    "scarlet scenic scented scholarly scientific seaside seasonal seaworthy secure selfless sensible sepia "
    "serene settled sharp sheltered shimmering shining shiny silent silken silky silver simple sincere "
    "singing singular skating sketching skiing skilled skillful skipping skyward sledding sleek sleepy "
    "smart smiling smooth snappy snazzy snoozing snowbound snowcapped snowy snug soaring sociable soft "
    "solar solid sonic soothing southern spacious sparkling special speckled speedy spiffy spinning spiral "
    "spirited splashing splendid sporty spotless spotted sprightly springy sprinting spry square stable "
    "stainless standard stargazing starlit starry stately steadfast steady steely stellar sterling stoic "
    "storied stormy strategic striped strolling strong strumming studious studying stunning sturdy stylish "
    "successful sugary summery sunlit sunny superb supportive surefooted surfing surprised swaying "
    "sweeping sweet swift swimming swirling sylvan symbolic symmetric symphonic systematic tactful "
    "tailored talented talkative tame tangerine tangible tartan tasteful teaching temperate terraced "
    "terrific thankful thinking thorough thoughtful thrifty thrilled thriving tidal tidy tiled timeless "
    "tinkering tiptop tolerant topaz towering tranquil traveling treasured trekking tremendous trendy "
    "triangular tricolor triple triumphant tropical trotting true trusty truthful tufted tumbling tuneful "
    "turquoise tweedy twilit twin twinkling unafraid unbroken uncharted uncommon undaunted unhurried "
    "unified unique universal unlimited unspoiled unusual upbeat upland uplifting upright upwind urban "
    "useful valiant valued varied vaulting velvet venturing verdant versatile vibrant victorious vigilant "
    "vigorous vintage violet virtual virtuous visionary vital vivacious vivid vocal volcanic voyaging "
    "wading wakeful walking waltzing wandering warbling warm watchful waterproof wavy weaving weightless "
    "welcoming western whimsical whirling whispering whistling wholesome willowy windswept winged winning "
    "wintry wise wishful witty wonderful wondrous wooden woodland woolly worldly worldwide worthy woven "
    "yodeling youthful zany zesty zigzag zippy zooming";

constexpr std::string_view kAnimalText =
    "aardvark aardwolf abalone addax adder agouti airedale akita albacore albatross alewife alligator "
    "allosaur alpaca amberjack ammonite anaconda anchovy anemone angelfish anglerfish angora anhinga "
    "ankylosaur anoa anole ant antbird anteater antelope antlion antwren aphid appaloosa arapaima "
    "archerfish argonaut armadillo arowana auk auklet aurochs avocet axolotl babbler babirusa badger "
    "bandicoot bantam banteng barbet barnacle barracuda barramundi basenji basilisk bass basset bear "
    "bearcat bee beetle beewolf bellbird beluga bichon bighorn bilby binturong birdwing birman bison "
    "bittern blackbird blackbuck blackcap blacktip blenny blobfish bluebird bluefin bluefish bluegill "
    "bluejay bluetail bluethroat boa boatbill bobcat bobolink bobtail bobwhite bonefish bongo bonito "
    "bonnethead boomslang borzoi bowerbird bowfin bowhead boxer boxfish brambling brant bream broadbill "
    "brolga bronco brontosaur bronzewing brumby brushtail budgie buffalo bufflehead bulbul bulldog "
    "bullfinch bullfrog bullhead bullsnake bumblebee bunny bunting burrfish burro bushbaby bushbuck "
    "bushlark butterfish butterfly caddisfly caiman camel canary canvasback capelin capybara caracal "
    "cardinal caribou carp carthorse cassowary cat catbird catfish catshark cavefish cavy centaur "
    "centipede chafer chaffinch chameleon chamois cheetah chickadee chicken chimera chinchilla chipmunk "
    "chiton chuckwalla cicada civet clam clingfish clownfish clydesdale coati cobra cod coho collie "
    "colobus colugo conch condor conebill coney conger coot copepod copperhead coqui coral corgi cormorant "
    "corncrake cornsnake cotinga cottontail courser cowbird cowfish cowrie coyote coypu crab crane "
    "cranefly crawdad crayfish cricket croaker crocodile crossbill crow cub curassow curlew currawong "
    "cuscus cuttlefish cygnet dabchick dace dalmatian damselfish damselfly danio darter deer deerhound "
    "degu desman dingo dinosaur diplodocus dipper discus doberman dobsonfly doctorfish dogfish dollarbird "
    "dolphin donkey dorado dormouse dory dove dragon dragonfish dragonfly drake dromedary drumfish duck "
    "duckbill duckling dugong duiker dunlin dunnart dunnock eagle earthworm echidna eel eelpout egret "
    "eider eland elephant elk elkhound emu emuwren ermine fairywren falcon fallfish fantail fawn fennec "
    "fernbird ferret fieldfare fieldmouse figbird finch firebird firecrest firefinch firefish firefly "
    "firetail fish flameback flamingo flatfish flicker flounder flufftail flycatcher flyingfish foal "
    "forktail fossa fox foxhound francolin fritillary frog frogfish frogmouth fruitbat fruitfly fulmar "
    "gadwall galago galloway gander gannet garganey gaur gazelle gecko genet gerbil gharial giraffe "
    "glassfish glider globefish glowworm gnu goanna goat goatfish goby godwit goldcrest goldeneye "
    "goldfinch goldfish goosander goose gopher goshawk gosling gourami grackle grampus grassbird grasswren "
    "grayling grebe greenbul greenfinch greenlet greenling greenshank greyhound greylag griffin grison "
    "grizzly grosbeak groundhog grouper grouse grunion guanaco gudgeon guillemot guineafowl guitarfish "
    "gull gundi gurnard hackney haddock hadrosaur hairstreak halfbeak halibut hammerhead hamster hare "
    "harrier hartebeest hawfinch hawk hawkfish hawkmoth hawksbill hedgehog hen hereford heron herring "
    "hillstar hippo hippogriff hoatzin hognose hoki holstein honeybee honeybird honeyeater honeyguide "
    "hoopoe hornbill hornero hornet horse hound hoverfly humpback husky hydra hyena hyrax ibex ibis "
    "ibisbill icefish iguana iguanodon impala inchworm indri isopod jabiru jacamar jacana jackal jackalope "
    "jackdaw jackfish jacksnipe jaguar jaguarundi javelina jay jellyfish jerboa jewelfish joey junco "
    "junglefowl kagu kangaroo katydid kea keelback kelpfish kelpie kestrel kingbird kingfish kingfisher "
    "kinglet kingsnake kinkajou kirin kiskadee kite kitten kittiwake kiwi koala koi komodo kookaburra "
    "kraken krill kudu labrador lacewing ladybug ladyfish laika lamb lamprey lancelet lapwing lark "
    "leafbird leafcutter leafhopper lemming lemur leopard leveret limpet limpkin ling lingcod linnet lion "
    "lionfish lizard lizardfish llama loach lobster locust loggerhead longclaw longhorn longspur longtail "
    "lorikeet loris lovebird lumpfish lunamoth lungfish lynx lyrebird macaw mackerel magpie mako malamute "
    "mallard mamba mammoth manakin manatee manta mantis manx marabou margay markhor marlin marmoset marmot "
    "marten mastiff mastodon mayfly meadowhawk meadowlark meerkat megalodon megapode merganser merino "
    "midge milkfish milksnake millipede minivet mink minnow minotaur mollusk monarch mongoose monitor "
    "monkfish mooneye moonfish moonrat moorhen moray morgan morpho mosasaur moth motmot mouflon mouse "
    "mousebird mudfish mudlark mudpuppy mudskipper mule mullet muntjac murrelet muskox muskrat mussel "
    "mustang mynah narwhal nautilus needlefish needletail nene newt nighthawk nightjar nilgai noddy numbat "
    "nutcracker nuthatch nutria nyala oarfish ocelot octopus oilbird okapi olingo onager opaleye openbill "
    "orbweaver orca oriole oropendola oryx osprey ostrich otter otterhound ovenbird oviraptor owl owlet "
    "oxpecker oyster paca packhorse paddlefish palfrey palmchat palomino panda pangolin panther papillon "
    "parakeet parrot parrotbill parrotfish parrotlet partridge peacock peafowl pearlfish peccary pegasus "
    "pelican penguin perch peregrine periwinkle petrel pewee pheasant phoebe phoenix pigeon pika pilchard "
    "pilotfish pinscher pintail pinto pipefish pipit piranha pitta plaice plankton platy platypus "
    "plesiosaur plover pointer polecat pomeranian pomfret pompano pony ponyfish poodle porbeagle porcupine "
    "porgy porpoise possum potoo potoroo prawn pronghorn pterosaur puffbird pufferfish puffin pug puggle "
    "puma pupfish puppy python quagga quahog quail queenfish quetzal quillback quokka quoll rabbit "
    "rabbitfish racehorse ragdoll ram raptor ratel ratsnake raven razorbill razorclam razorfish redbird "
    "redfin redfish redpoll redshank redstart redtail redwing reedbuck reedling reindeer remora retriever "
    "rhea rhino ribbonfish ridgeback ringdove ringneck ringtail roadrunner robin rockfish rockfowl "
    "rockhopper rockling roebuck roedeer roller rook rooster rosefinch rosella roughy rubythroat rudd ruff "
    "sable sabrewing saiga sailfin sailfish saki salamander salmon saluki sambar samoyed sandboa "
    "sanddollar sandeel sanderling sandfish sandgrouse sandhopper sandpiper sardine sauropod saury sawbill "
    "sawfish sawfly sawshark scallop scarab scorpion scoter scrubfowl scrubwren sculpin seabass seabird "
    "seabream seadragon seagull seahawk seahorse seal sealion searobin seaslug seedeater seedsnipe selkie "
    "serval setter shad shark shearwater sheep sheepdog shelduck sheltie shiba shoebill shorebird shoveler "
    "shrike shrimp sicklebill sifaka silkmoth silkworm silverbill silvereye silverfish silverside siskin "
    "skate skimmer skink skipjack skipper skua skylark sloth smilodon snail snapper snipe snook snowbird "
    "snowfinch softshell songbird sora spadefish spadefoot spaniel sparrow spearfish sphinx spider "
    "spinebill spinefoot spinetail spinosaur spitz sponge spoonbill sprat springbok springhare springtail "
    "squid squirrel stag starfish stargazer starling steed steelhead stegosaur stilt stingray stoat "
    "stonechat stonefish stonefly stork sturgeon sugarbird sunbear sunbird sunbittern sunfish sungrebe "
    "surfbird swamphen swan swiftlet swordfish swordtail tabby tadpole tahr tailorbird taipan takin "
    "tamandua tamarin tanager tapir tarantula tarpon tarsier tench termite tern terrapin terrier tetra "
    "theropod thornbird threadfin thresher thrush thylacine tiger tigerfish tigermoth tilapia tilefish "
    "tinamou tinkerbird toad toadfish topi tortoise toucan towhee tragopan treefrog treehopper treepie "
    "trevally trilobite triton trogon tropicbird troupial trout trunkfish tuatara tuna turaco turbot "
    "turnstone turtle turtledove twite unicorn urchin utahraptor vaquita vicuna violetear viper viperfish "
    "vireo vole vulture wagtail wahoo wallaby wallaroo walleye walrus wapiti warbler warthog wasp "
    "waterbird waterbuck waterfowl waterhen wattlebird waxbill waxwing weaver westie weta whale wheatear "
    "whelk whimbrel whinchat whipbird whippet whipsnake whirligig whitebait whitefish whitetip whiting "
    "wildcat wildebeest willet windhover wisent wolf wolfdog wolfhound wolverine wombat woodchuck woodhen "
    "woodlark woodpecker woodstar wrasse wren wryneck wyvern xerus yak yearling yellowbird yellowfin "
    "yellowlegs yellowtail yeti zebra zebrafish zebu";

consteval std::size_t count_words(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count(text, ' ')) + 1;
}

// One space between words, never two: the empty word between two would break the strict order.
consteval WordList split(std::string_view text) {
  WordList words;
  for (std::string_view& word : words) {
    word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return words;
}

consteval bool strictly_sorted(const WordList& words) {
  return std::ranges::adjacent_find(words, std::ranges::greater_equal{}) == words.end();
}

static_assert(count_words(kAdjectiveText) == kWordsPerList);
static_assert(count_words(kAnimalText) == kWordsPerList);

constexpr WordList kAdjectives = split(kAdjectiveText);
constexpr WordList kAnimals = split(kAnimalText);

static_assert(strictly_sorted(kAdjectives));
static_assert(strictly_sorted(kAnimals));

std::optional<std::size_t> index_of(const WordList& words, std::string_view word) noexcept {
  const auto found = std::ranges::lower_bound(words, word);
  if (found == words.end() || *found != word) return std::nullopt;
  return static_cast<std::size_t>(found - words.begin());
}

}  // namespace

std::string_view adjective(std::size_t index) noexcept {
  HUBBUB_ASSERT(index < kWordsPerList);
  return kAdjectives[index];
}

std::string_view animal(std::size_t index) noexcept {
  HUBBUB_ASSERT(index < kWordsPerList);
  return kAnimals[index];
}

std::optional<std::size_t> adjective_index(std::string_view lower_case_word) noexcept {
  return index_of(kAdjectives, lower_case_word);
}

std::optional<std::size_t> animal_index(std::string_view lower_case_word) noexcept {
  return index_of(kAnimals, lower_case_word);
}

}  // namespace hubbub
