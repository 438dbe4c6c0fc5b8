-- How Argo CD judges PostbackEndpoints, Campaigns and ReceiverFleets: as kstatus does.
local status = obj.status
if status == nil or status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "The operator has not looked at it yet."}
end
local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end
local ready, stalled = conditions.Ready, conditions.Stalled
if stalled ~= nil and stalled.status == "True" then
  return {status = "Degraded", message = stalled.message}
end
if ready == nil or ready.status ~= "True" then
  return {status = "Progressing", message = ready ~= nil and ready.message or "The operator has not looked at it yet."}
end
return {status = "Healthy", message = ready.message}
