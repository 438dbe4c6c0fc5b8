<?php
require __DIR__ . '/client4.php';
$client = new ClickClient4(getenv('CLICK_API'), getenv('CAMPAIGN_TOKEN'));
if (isset($_GET['redirect'])) {
    $client->set('force_redirect_offer', 1);
}
$client->restoreFromSession();
$client->executeAndBreak();
$info = $client->info();
echo json_encode(array(
    'subid' => $info->sub_id, 'token' => $info->token, 'offer' => $client->getOffer(), 'bot' => $info->is_bot,
    'unique' => $info->uniqueness->campaign,
));
