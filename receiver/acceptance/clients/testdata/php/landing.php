<?php
require __DIR__ . '/client.php';
$client = new ClickClient(getenv('CLICK_API'), getenv('CAMPAIGN_TOKEN'));
$client->sendAllParams();
$client->execute();
echo json_encode(array(
    'subid' => $client->getSubId(), 'token' => $client->getToken(), 'offer' => $client->getOffer(),
    'bot' => $client->isBot(), 'unique' => $client->isUnique(),
));
