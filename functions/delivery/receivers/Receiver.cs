// A product that receives events (POST /events) and decides about changes (POST /decisions).
//
// With HANDOVER_SIGNING_KEY it also has a sign-up page, which takes buyers over from the landing page
// (POST /sign-up).
//
// Needs .NET 8 or newer and no packages. Put it into an empty web project:
//
//     dotnet new web --output receiver
//     cp Receiver.cs receiver/Program.cs
//     DELIVERY_SIGNING_KEY=whsec_... PORT=8090 dotnet run --project receiver
//
// DELIVERY_SIGNING_KEY  one key, or two keys separated by a blank while one replaces the other
// DECISION_SIGNING_KEY  the same for questions; without it they are checked with the keys above
// HANDOVER_SIGNING_KEY  the same for handovers
// HANDOVER_ISSUER       the landing page's origin, as in https://signup.example.com
// HANDOVER_AUDIENCE     this program's origin, as in https://app.example.com
// PORT                  0 takes a free port; the address is printed

using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

// An older message may be a replay of a recorded one. Keep the machine's clock right.
const long ToleranceSeconds = 5 * 60;

// Events have a few KB. The limit keeps a stranger from filling the memory.
const long LargestBody = 1024 * 1024;

// A real product keeps the ids in its database, under a unique index, and inserts an id in the
// same transaction as what the event does. Here they are lost when the program ends.
var seenIds = new ConcurrentDictionary<string, bool>();

// The ids of handovers that were used, each with the time at which it expires. A real product keeps
// them in its database, under a unique index, until then: two processes must not both accept one.
var usedHandovers = new ConcurrentDictionary<string, long>();

var eventKeys = ReadKeys("DELIVERY_SIGNING_KEY");
var decisionKeys = ReadKeys("DECISION_SIGNING_KEY");
if (eventKeys.Count == 0)
{
    throw new InvalidOperationException("DELIVERY_SIGNING_KEY is not set");
}
if (decisionKeys.Count == 0)
{
    decisionKeys = eventKeys;
}

var handoverKeys = ReadKeys("HANDOVER_SIGNING_KEY");
var issuer = Environment.GetEnvironmentVariable("HANDOVER_ISSUER") ?? "";
var audience = Environment.GetEnvironmentVariable("HANDOVER_AUDIENCE") ?? "";
if (handoverKeys.Count > 0 && (issuer == "" || audience == ""))
{
    throw new InvalidOperationException(
        "HANDOVER_ISSUER and HANDOVER_AUDIENCE must be set beside HANDOVER_SIGNING_KEY");
}

var builder = WebApplication.CreateBuilder(args);
// Beyond the limit Kestrel itself answers 413.
builder.WebHost.ConfigureKestrel(options => options.Limits.MaxRequestBodySize = LargestBody);
var app = builder.Build();

// The handlers take the request itself: a parameter of another type would make ASP.NET parse the
// body, and its bytes, which are what is signed, would be gone.
app.MapPost("/events", (HttpRequest request) => Answer(request, eventKeys, Receive));
app.MapPost("/decisions", (HttpRequest request) => Answer(request, decisionKeys, Decide));
if (handoverKeys.Count > 0)
{
    app.MapPost("/sign-up", (HttpRequest request) => TakeOver(request));
}

app.Urls.Add($"http://127.0.0.1:{Environment.GetEnvironmentVariable("PORT") ?? "8090"}");
await app.StartAsync();
Console.WriteLine($"Listening on {app.Urls.First()}");
await app.WaitForShutdownAsync();

// Checks a message before anything in it is believed, and has it handled.
async Task<IResult> Answer(
    HttpRequest request, List<byte[]> keys, Func<JsonElement, IResult> handle)
{
    using var buffer = new MemoryStream();
    await request.Body.CopyToAsync(buffer, request.HttpContext.RequestAborted);
    var body = buffer.ToArray();
    var reason = WhyNotGenuine(keys, request.Headers, body, DateTimeOffset.UtcNow);
    if (reason is not null)
    {
        Console.Error.WriteLine($"refused: {reason}");
        return Results.StatusCode(StatusCodes.Status401Unauthorized);
    }
    try
    {
        using var message = JsonDocument.Parse(body);
        return message.RootElement.ValueKind == JsonValueKind.Object
            ? handle(message.RootElement)
            : Results.StatusCode(StatusCodes.Status400BadRequest);
    }
    catch (JsonException)
    {
        return Results.StatusCode(StatusCodes.Status400BadRequest);
    }
}

// Takes a buyer over from the landing page.
async Task<IResult> TakeOver(HttpRequest request)
{
    using var reader = new StreamReader(request.Body, Encoding.UTF8);
    var form = await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
    // ParseQueryString puts a comma between repeated values, which no handover has.
    var token = System.Web.HttpUtility.ParseQueryString(form)["handover"] ?? "";
    var (claims, reason) = TakeHandover(token, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
    if (claims is null)
    {
        Console.Error.WriteLine($"refused a handover: {reason}");
        // The landing page issues a new one to the buyer who comes back.
        var again = WebUtility.HtmlEncode($"{issuer}/landing");
        return Results.Content(
            $"<!doctype html><title>Sign up</title><a href=\"{again}\">Please try again.</a>",
            "text/html; charset=utf-8", Encoding.UTF8, StatusCodes.Status401Unauthorized);
    }
    Console.WriteLine($"handover {Text(claims.Value, "subscriptionId")} {Text(claims.Value, "role")}");
    return Results.Content(SignUp(claims.Value), "text/html; charset=utf-8");
}

// The page of a buyer who comes from the landing page.
//
// A real product signs the person in here, as `tenantId` and `objectId`, and never as the e-mail
// address; asks what it wants to know; sets the account of `subscriptionId` up; and then calls
// POST /subscriptions/{id}/activate of the API. The request comes from another site, so it carries
// none of this site's SameSite cookies: don't add the subscription to a session that is there.
static string SignUp(JsonElement claims)
{
    var name = Member(claims, "person") is { } person ? Text(person, "name") : null;
    var words = WebUtility.HtmlEncode($"Welcome, {name}! {Text(claims, "subscriptionId")}");
    return $"<!doctype html><title>Sign up</title><p>{words}</p>";
}

// The claims of a handover, or why it is refused.
(JsonElement?, string?) TakeHandover(string token, long now)
{
    const long skewSeconds = 60;
    var parts = token.Split('.');
    if (parts.Length != 3
        || Decoded(parts[0]) is not { } header
        || Decoded(parts[1]) is not { } claimsBytes
        || Decoded(parts[2]) is not { } signature)
    {
        return (null, "it is no JWT");
    }
    // The algorithm is ours to choose, not the token's: `none` and all others are refused.
    if (Parsed(header) is not { } head || Text(head, "alg") != "HS256"
        || head.TryGetProperty("crit", out _))
    {
        return (null, "its algorithm is not HS256");
    }
    var signed = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
    if (!handoverKeys.Exists(key => CryptographicOperations.FixedTimeEquals(
            HMACSHA256.HashData(key, signed), signature)))
    {
        return (null, "no key has signed it");
    }
    if (Parsed(claimsBytes) is not { } claims
        || Text(claims, "iss") != issuer || Text(claims, "aud") != audience)
    {
        return (null, "it is from another page, or for another one");
    }
    if (Number(claims, "iat") is not { } issuedAt || Number(claims, "exp") is not { } end
        || now < issuedAt - skewSeconds || now >= end || Text(claims, "jti") is not { } id)
    {
        return (null, "it is not valid now");
    }
    // Only now, so that a forgery can't use up an id.
    foreach (var used in usedHandovers)
    {
        if (used.Value <= now)
        {
            usedHandovers.TryRemove(used.Key, out _);
        }
    }
    return usedHandovers.TryAdd(id, end) ? (claims, null) : (null, "it was used before");
}

// The bytes of a part of a JWT; null if it is not base64url.
static byte[]? Decoded(string part)
{
    var text = part.Replace('-', '+').Replace('_', '/');
    text += new string('=', (4 - text.Length % 4) % 4);
    var bytes = new byte[text.Length];
    return part.IndexOfAny(['+', '/', '=']) < 0
        && Convert.TryFromBase64String(text, bytes, out var length)
        ? bytes[..length]
        : null;
}

// The JSON object in a part of a JWT; null if there is none.
static JsonElement? Parsed(byte[] bytes)
{
    try
    {
        using var document = JsonDocument.Parse(bytes);
        return document.RootElement.ValueKind == JsonValueKind.Object
            ? document.RootElement.Clone()
            : null;
    }
    catch (JsonException)
    {
        return null;
    }
}

// Takes an event.
IResult Receive(JsonElement message)
{
    var id = Text(message, "id");
    var type = Text(message, "type");
    var subject = Text(message, "subject");
    if (id is null || type is null || subject is null)
    {
        return Results.StatusCode(StatusCodes.Status400BadRequest);
    }
    if (seenIds.TryAdd(id, true))
    {
        // Store the event or put it in a queue here, and do slow work after the answer. A type that
        // this program doesn't know is acknowledged as well: any other answer brings it again.
        Console.WriteLine($"{type} {subject}");
    }
    return Results.StatusCode(StatusCodes.Status204NoContent);
}

// Accepts or rejects a change. It only looks: the event that follows says what came of it.
static IResult Decide(JsonElement question)
{
    var type = Text(question, "type");
    var change = Member(question, "change");
    var subscription = Member(question, "subscription");
    if (type != "saas-fulfillment.decision.v1" || change is null || subscription is null)
    {
        return Results.StatusCode(StatusCodes.Status400BadRequest);
    }
    var id = Text(subscription.Value, "id");
    var inUse = SeatsInUse(id);
    var isTooFew = Text(change.Value, "of") == "seats" && Number(change.Value, "to") < inUse;
    Console.WriteLine($"{type} {id} {(isTooFew ? "reject" : "accept")}");
    return isTooFew
        ? Results.Json(new { decision = "reject", reason = $"{inUse} seats are in use" })
        : Results.Json(new { decision = "accept" });
}

// A real product looks this up, quickly: the answer is due within three seconds.
static long SeatsInUse(string? subscriptionId) => 3;

// Why a message is refused; null if one of the keys has signed exactly this body.
static string? WhyNotGenuine(
    List<byte[]> keys, IHeaderDictionary headers, byte[] body, DateTimeOffset now)
{
    var id = headers["webhook-id"].ToString();
    var timestamp = headers["webhook-timestamp"].ToString();
    var signatures = headers["webhook-signature"].ToString();
    if (id == "" || timestamp == "" || signatures == "")
    {
        return "a webhook-* header is missing";
    }
    // NumberStyles.None takes digits alone.
    if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        || Math.Abs(now.ToUnixTimeSeconds() - seconds) > ToleranceSeconds)
    {
        return "the timestamp is not within five minutes of this machine's clock";
    }
    // The bytes as they arrived: JSON that was parsed and written again has another signature.
    byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
    var expected = keys.ConvertAll(key =>
        Encoding.ASCII.GetBytes(Convert.ToBase64String(HMACSHA256.HashData(key, signed))));
    // Several signatures are separated by blanks; one that matches is enough.
    foreach (var entry in signatures.Split(' '))
    {
        if (!entry.StartsWith("v1,", StringComparison.Ordinal))
        {
            continue;
        }
        var signature = Encoding.ASCII.GetBytes(entry["v1,".Length..]);
        // FixedTimeEquals takes the same time wherever the first difference is; == doesn't.
        if (expected.Exists(one => CryptographicOperations.FixedTimeEquals(one, signature)))
        {
            return null;
        }
    }
    return "no signature matches";
}

// The keys of a setting: `whsec_` and base64, separated by blanks.
static List<byte[]> ReadKeys(string setting)
{
    var keys = new List<byte[]>();
    var texts = (Environment.GetEnvironmentVariable(setting) ?? "")
        .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
    foreach (var text in texts)
    {
        var key = new byte[text.Length];
        var isKey = text.StartsWith("whsec_", StringComparison.Ordinal);
        if (!isKey || !Convert.TryFromBase64String(text["whsec_".Length..], key, out var length)
            || length is < 24 or > 64)
        {
            throw new InvalidOperationException(
                $"{setting} must be `whsec_` and the base64 of 24 to 64 bytes");
        }
        keys.Add(key[..length]);
    }
    return keys;
}

// A member that is an object; null if there is none.
static JsonElement? Member(JsonElement of, string name) =>
    of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object
        ? value
        : null;

// A member that is text; null if there is none.
static string? Text(JsonElement of, string name) =>
    of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        ? value.GetString()
        : null;

// A member that is a whole number; null if there is none.
static long? Number(JsonElement of, string name) =>
    of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out var number)
        ? number
        : null;
